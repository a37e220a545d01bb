"""Intracerebral haemorrhage on head CT: segmentation, three families of features, outcome and expansion risk."""
