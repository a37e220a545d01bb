"""Sample cases in the scene are marked, so that they are found again."""

from __future__ import annotations

from typing import Any

ATTRIBUTE = "DeepRadiomics.sample"  # "head/ct": which sample, and which of its parts


def mark_sample(node: Any, sample: str, part: str) -> None:
    """Let a node say which part of which sample it is; the mark survives saving and renaming."""
    node.SetAttribute(ATTRIBUTE, f"{sample}/{part}")


def sample_nodes(scene: Any, sample: str) -> dict[str, Any]:
    """The nodes of a sample that the scene holds, by part; of several copies the last one's."""
    nodes = [scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes())]
    marks = [(str(node.GetAttribute(ATTRIBUTE) or "").partition("/"), node) for node in nodes]
    return {part: node for (name, _slash, part), node in marks if name == sample and part}
