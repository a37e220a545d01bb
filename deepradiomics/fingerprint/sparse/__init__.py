"""The sparse form of the fingerprint: relevance follows from each patch's radiomic evidence."""
