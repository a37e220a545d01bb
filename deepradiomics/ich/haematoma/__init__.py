"""The haematoma itself: region, volume, crop, expansion between two scans."""
