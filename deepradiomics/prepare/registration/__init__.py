"""Registration: rigid, similarity and affine, and whether it succeeded."""
