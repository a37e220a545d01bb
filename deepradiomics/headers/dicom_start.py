"""Whether a file begins as DICOM files do; what it says is read by :mod:`deepradiomics.images.dicom`, with pydicom."""


def may_be_dicom(head: bytes) -> bool:
    """Tell by a file's first 2048 bytes whether it can be DICOM at all."""
    return head[128:132] == b"DICM" or _begins_with_elements(head)


def _begins_with_elements(head: bytes) -> bool:
    """An element of group 0002 or 0008, as files without a preamble begin."""
    return len(head) > 8 and (
        (head[0] in (2, 8) and head[1] == 0 and head[3] == 0) or (head[:2] == b"\0\x08" and head[2] == 0)
    )
