"""Imaging encoders behind one interface."""
