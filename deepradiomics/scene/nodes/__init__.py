"""MRML nodes made of our arrays and tables, and read back."""
