"""What the runs of several modules share: files written from nodes, arguments, segmenting, registering, DICOM."""
