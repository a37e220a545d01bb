"""One patient: volume, risks, their direction, maps."""
