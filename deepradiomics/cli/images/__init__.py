"""Commands for images, masks and DICOM."""
