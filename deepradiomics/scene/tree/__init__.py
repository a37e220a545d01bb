"""The Data tree: folders of results, roles, provenance, names that survive the scene file."""
