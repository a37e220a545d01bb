"""Where a result came from, kept on every result node as attributes, so that it survives in the saved scene.

Attribute names begin with "DeepRadiomics."; everything but plain text is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deepradiomics.errors import InputError

PREFIX = "DeepRadiomics."
# What of prediction.json or features.json goes onto a node. No patient identifiers are in those files.
_KEPT = (
    "software",
    "version",
    "kind",
    "created",
    "case_id",
    "synthetic_model",
    "disclaimer",
    "inference",
    "reference_view",
    "outside_training_cohort",
    "outside_share",
    "outside_limit",
    "roi",
    "patch_grid",
    "bundle",
    "settings",
    "provenance",
    "versions",
    "device",
    "notes",
    "methods_text",
)


def stamp(node: Any, content: Mapping[str, Any], **more: Any) -> None:
    """Write the provenance found in a result's JSON, the hashes of its inputs, and `more` (e.g. task) onto a node."""
    values = {key: content[key] for key in _KEPT if key in content} | more
    if "views" in content:
        values["inputs"] = {
            view: {key: about.get(key) for key in ("file", "sha256", "reformatted_from")}
            for view, about in content["views"].items()
        }
    for key, value in values.items():
        node.SetAttribute(PREFIX + key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def read_stamp(node: Any) -> dict[str, Any]:
    """The provenance of a result node: attribute names without the prefix, JSON parsed; empty for other nodes."""
    values: dict[str, Any] = {}
    for name in node.GetAttributeNames():
        if name.startswith(PREFIX):
            text = node.GetAttribute(name)
            try:
                values[name[len(PREFIX) :]] = json.loads(text)
            except json.JSONDecodeError:
                values[name[len(PREFIX) :]] = text
    return values


def methods_text(node: Any) -> str:
    """The paragraph for a paper that belongs to a result node. Raises InputError if the node carries none."""
    text = node.GetAttribute(PREFIX + "methods_text")
    if not text:
        raise InputError(f"'{node.GetName()}' carries no methods text; choose a result node of DeepRadiomics")
    return str(text)
