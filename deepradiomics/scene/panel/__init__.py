"""What the panels of the Slicer modules share. Needs the Slicer application (or, in tests, what stands in for it)."""
