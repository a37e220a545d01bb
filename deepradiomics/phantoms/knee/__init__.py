"""Synthetic knee MR."""
