"""The RadiomicFeatures module of 3D Slicer: panel, parameters and the logic that its panel and console share."""
