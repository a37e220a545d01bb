"""What the slice, 3D and chart views show."""
