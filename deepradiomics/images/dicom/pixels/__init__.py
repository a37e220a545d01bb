"""Pixels of DICOM files: layout, transfer syntaxes, decoding."""
