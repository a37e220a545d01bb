"""What image files say before their voxels: the headers of NIfTI, NRRD and MetaImage, the files they name, the bytes.

Plain texts and numbers; what they mean for an image is read by :mod:`deepradiomics.images`.
"""
