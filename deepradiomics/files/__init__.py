"""What lies on the disk: atomic files, JSON, tables, hashes, names that become paths, the content-addressed cache."""
