"""From an examination to patches on one grid."""
