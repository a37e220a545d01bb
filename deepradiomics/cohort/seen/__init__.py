"""Which patients a network has learned from, by marks that name nobody, and what must not be tested by it."""
