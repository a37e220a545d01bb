"""Results in 3D Slicer's scene: volumes, overlays, tables, plots, folders, and the background jobs that make them.

Importing this package imports neither Slicer nor VTK. `job` and `dependencies` never do; the other modules need
Slicer itself or its scene library (`pip install slicer-core`).
"""
