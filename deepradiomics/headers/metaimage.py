"""The text header of a MetaImage (.mha, .mhd): ``Key = value`` lines, the last of which names the voxels' file."""

from dataclasses import dataclass
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.headers.regular import printable, require_regular

HEADER_LIMIT = 1 << 20  # bytes
_OTHER_NAMES = {
    "Position": "Offset",
    "Origin": "Offset",
    "Rotation": "TransformMatrix",
    "Orientation": "TransformMatrix",
    "ElementByteOrderMSB": "BinaryDataByteOrderMSB",
    "NDim": "NDims",
}


@dataclass(frozen=True)
class MetaImageHeader:
    """What a MetaImage's header says.

    Attributes
    ----------
    fields
        Values by key, of several names for a field the first.
    data_file
        What ``ElementDataFile`` says: LOCAL, LIST, a name or a pattern.
    listed
        Names that stand below ``ElementDataFile = LIST``.
    offset
        Where the bytes after the header begin.
    """

    fields: dict[str, str]
    data_file: str
    listed: tuple[str, ...]
    offset: int


def read_metaimage_header(path: Path) -> MetaImageHeader:
    """Read the header.

    Raises:
        InputError: no plain file, no MetaImage, a key that stands twice, or no ``ElementDataFile``.
    """
    require_regular(path)
    with open(path, "rb") as stream:
        text = stream.read(HEADER_LIMIT)
    fields: dict[str, str] = {}
    start = 0
    while start < len(text):
        stop = text.find(b"\n", start)
        stop = len(text) if stop < 0 else stop
        line = text[start:stop].decode("utf-8", "surrogateescape").strip()
        start = stop + 1
        if not line:
            continue
        key, equals, value = line.partition("=")
        key, value = _OTHER_NAMES.get(key.strip(), key.strip()), value.strip()
        if not equals or not key.isprintable() or len(key) > 80:
            break
        if key == "ElementDataFile":
            names: tuple[str, ...] = ()
            if value.split(" ")[0] == "LIST":
                rest = text[start:].decode("utf-8", "surrogateescape")
                names = tuple(name.strip() for name in rest.split("\n") if name.strip())
            return MetaImageHeader(fields, value, names, min(start, len(text)))
        if key in fields:
            raise InputError(f"{printable(path)}: its header gives {key} twice. Which is right? Correct the header.")
        fields[key] = value
    raise InputError(
        f"{printable(path)}: this file could not be read as a MetaImage: no line ElementDataFile ends its header. "
        "It is damaged, or no image at all."
    )
