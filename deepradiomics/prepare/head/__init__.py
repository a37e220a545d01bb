"""Head CT: Hounsfield units, brain, standard cube."""
