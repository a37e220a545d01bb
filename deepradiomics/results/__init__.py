"""Draws what the methods return: tables, figures, reports."""
