"""Masks from files that are more than a label map: DICOM SEG, RTSTRUCT, and Slicer's segmentations of several layers.

file ─ its regions, one after the other ─ LabelCanvas ─ Mask (labels, names, colours, terms, overlapping regions)
"""
