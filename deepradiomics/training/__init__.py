"""Training runs that survive a kill: the run folder, its history and checkpoints, and the loop around any network."""
