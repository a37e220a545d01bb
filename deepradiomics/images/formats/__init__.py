"""Readers of file formats other than DICOM."""
