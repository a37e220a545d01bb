"""The Batch section: cases of a folder, of the scene or of the DICOM database, as a manifest."""
