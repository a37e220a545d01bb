"""Ways to break a file that know nothing of its format."""

from __future__ import annotations

import numpy as np

NUMBERS = (
    "nan",
    "inf",
    "-1",
    "0",
    "1e400",
    "",
    "1,5",
    "abc",
    "99999999999999999999",
    "0x10",
    "1e-320",
    "-0",
    "1.5",
    "７",
)


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """The file ends too early."""
    return data[: int(rng.integers(0, len(data)))]


def lengthened(data: bytes, rng: np.random.Generator) -> bytes:
    """Something follows the file's end."""
    return data + rng.bytes(int(rng.integers(1, 64)))


def flipped(data: bytes, rng: np.random.Generator, start: int, stop: int, count: int = 1) -> bytes:
    """Bytes of a part of the file become others."""
    changed = bytearray(data)
    for place in rng.integers(start, max(start + 1, min(stop, len(data))), count):
        changed[place] ^= int(rng.integers(1, 256))
    return bytes(changed)


def line_mutated(text: str, rng: np.random.Generator) -> tuple[str, str]:
    """One line of a text deleted, doubled, moved, or one of its numbers replaced; and which line."""
    lines = text.split("\n")
    at = int(rng.integers(0, len(lines)))
    name = lines[at][:40]
    way = int(rng.integers(0, 5))
    if way == 0:
        del lines[at]
    elif way == 1:
        lines.insert(at, lines[at])
    elif way == 2:
        lines.insert(int(rng.integers(0, len(lines))), lines.pop(at))
    else:
        words = lines[at].split(" ")
        places = [k for k, word in enumerate(words) if any(letter.isdigit() for letter in word)] or [len(words) - 1]
        place = places[int(rng.integers(0, len(places)))]
        words[place] = NUMBERS[int(rng.integers(0, len(NUMBERS)))]
        lines[at] = " ".join(words)
    return "\n".join(lines), name
