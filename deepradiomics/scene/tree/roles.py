"""Names of node references that end in what a user named: a task, an outcome, a modality, a view.

Slicer writes such names unescaped into the scene file, where a colon, a semicolon, an ampersand or a quotation mark
breaks the file. So what the user named is quoted as in a web address.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote


def role(prefix: str, name: str) -> str:
    """The name of a reference: `prefix`, and a user's name in letters that every scene file can hold.

    >>> role("DeepRadiomics.view.", "T2: sag & cor")
    'DeepRadiomics.view.T2%3A%20sag%20%26%20cor'
    """
    return prefix + quote(name, safe="")


def references(node: Any, prefix: str) -> dict[str, Any]:
    """The nodes that a node refers to under roles of this prefix, by the user's name; deleted ones are left out."""
    roles: list[str] = []
    node.GetNodeReferenceRoles(roles)
    nodes = {unquote(name[len(prefix) :]): node.GetNodeReference(name) for name in roles if name.startswith(prefix)}
    return {name: reference for name, reference in nodes.items() if reference is not None}
