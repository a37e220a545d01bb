"""The haematoma itself: region, volume, crop, growth between two scans."""
