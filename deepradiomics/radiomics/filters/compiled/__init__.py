"""Filters compiled by numba."""
