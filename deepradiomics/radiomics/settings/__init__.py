"""What is extracted and how: parameter files, presets, their rules."""
