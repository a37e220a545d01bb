"""Words that every part of the software puts in the same way: titles of what is predicted, numbers of things."""

from __future__ import annotations

OUTSIDE = "outside the training cohort"
"""What stands in the place of a class where a case is unlike all that the model learned from."""
REAL_HEAD = "The head is a real one"
"""How the README.txt of a cohort of haematomas in a real head begins to say so."""
REAL_HEAD_HEADER = "haematomas in a REAL head CT,"
"""What the header of such a CT holds after the word SYNTHETIC."""


def made_up_sentence(real_head: bool) -> str:
    """What is synthetic in a head CT of ``phantom ich``."""
    if real_head:
        return f"The haematoma is SYNTHETIC. {REAL_HEAD}: treat this CT as a person's."
    return "The CT is SYNTHETIC: it shows nobody."


def title_of(name: str, title: str = "") -> str:
    """What people read for a task or an outcome: its title, else its name as words.

    >>> title_of("acl"), title_of("early_MRI_change"), title_of("acl", "Tear of the ACL")
    ('Acl', 'Early MRI change', 'Tear of the ACL')
    """
    if title.strip():
        return title.strip()
    words = " ".join(name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def count(n: int, thing: str, things: str = "") -> str:
    """A number of things.

    >>> count(1, "case"), count(0, "case"), count(2, "patch", "patches")
    ('1 case', '0 cases', '2 patches')
    """
    return f"{n} {thing if n == 1 else things or thing + 's'}"
