"""Names of nodes that are saved as files, and texts in cells of tables.

Slicer makes a file's name from the node's and writes it into the scene file, where an ampersand breaks the whole scene
and a letter beyond ASCII loses the file. So names that people have given are written in plain letters.
"""

from __future__ import annotations

import re
import unicodedata

_LETTERS = {"ß": "ss", "æ": "ae", "ø": "o", "Æ": "Ae", "Ø": "O", "ł": "l", "Ł": "L", "×": "x", "–": "-", "—": "-"}
_LETTERS |= {"Δ": "delta ", "²": "2", "³": "3", "µ": "u", "−": "-", "…": "..."}


def node_name(text: str) -> str:
    """A name of plain letters, for a volume, table or segmentation.

    >>> node_name('Größe > 6 mL & "alt": 3 µm')
    'Grosse > 6 mL + alt: 3 um'
    """
    plain = "".join(_LETTERS.get(letter, letter) for letter in text).replace("&", "+")
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    plain = re.sub(r'["\x00-\x1f\x7f]', "", plain)
    return re.sub(r"\s+", " ", plain).strip() or "unnamed"


def cell_text(text: str) -> str:
    """A text as a table's cell can hold it: Slicer saves tables with quotation marks around cells, unescaped.

    >>> cell_text('the "bad"' + chr(9) + 'end')
    "the 'bad' end"
    """
    return re.sub(r"[\t\r\n]+", " ", text.replace('"', "'"))
