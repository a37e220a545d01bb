"""The definitions of the features."""
