"""The leakage rule: nobody is tested by what has seen them.

Latents of a patient come from networks that did not see them (out-of-fold, the manifest's columns ``encoder`` and
``autoencoder``) or from networks trained elsewhere; and nobody is in both cohorts. Networks trained here tell whom they
have seen by marks of images and patients (see marks.py); of others it is unknown, which is said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from deepradiomics.cohort.seen.marks import has_seen
from deepradiomics.errors import InputError
from deepradiomics.words import some

_COLUMNS = {"encoder": "segmentation network", "autoencoder": "VAE-GAN"}


class Network(Protocol):
    """A network that gives latents."""

    @property
    def folder(self) -> Path:
        """Of its bundle."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def info(self) -> Mapping[str, Any]:
        """The bundle's description, with the marks of those whom it has seen."""


class LeakageError(InputError):
    """Patients would be tested by what has seen them."""


def check_networks(
    where: str,
    ids: Sequence[str],
    patients: Sequence[str],
    marks: Sequence[str],
    networks: Mapping[str, tuple[Sequence[Network], Sequence[int]]],
    *,
    allow: bool = False,
) -> tuple[tuple[str, ...], bool]:
    """Check that no network gives latents of a patient whom it has seen.

    Args:
        where: how messages call the cohort.
        ids, patients, marks: of the rows: case, whose scan it is, mark of the CT.
        networks: by column (``encoder``, ``autoencoder``): the networks, and which of them gave each row's latents.
        allow: say it instead of refusing.

    Returns:
        remarks, and whether latents leak.

    Raises:
        LeakageError: a network has seen a patient whose latents it gives; the message names patients and networks.
    """
    remarks: list[str] = []
    leaks: list[str] = []
    for column, (used, given_by) in networks.items():
        what = _COLUMNS.get(column, column)
        learned_from: dict[int, list[str]] = defaultdict(list)
        unknown: set[int] = set()
        for i, number in enumerate(given_by):
            has_learned = has_seen(used[number].info, image=marks[i], patient=patients[i])
            if has_learned is None:
                unknown.add(number)
            elif has_learned:
                learned_from[number].append(ids[i])
        for number in sorted(unknown):
            remarks.append(
                f"{where}: it is unknown whether the {what} {used[number].name!r} has seen these patients, for its "
                "bundle does not tell whom it learned from."
            )
        leaks += [
            f"the {what} {used[number].name!r} ({used[number].folder}) learned from {some(cases, 'patient')} "
            f"({len(cases)} in all), whose latents it would give"
            for number, cases in sorted(learned_from.items())
        ]
        if len(used) > 1:
            remarks.append(
                f"{where}: the latents of this cohort come from {len(used)} different networks (column {column}). "
                "Networks trained apart do not share their axes, so that the factorisation mixes unlike columns; one "
                "network trained on other patients avoids it."
            )
    if leaks and not allow:
        raise LeakageError(
            f"{where}: this experiment would leak: {'; '.join(leaks)}. Name for each patient a network that has not "
            "seen them: train out-of-fold ('ich train-segmenter --folds 5' and 'ich train-autoencoder --folds 5' write "
            "such a manifest), or take networks trained on other patients. --allow-leakage runs it all the same and "
            "marks every output as leaking."
        )
    return (*remarks, *(f"LEAKAGE ({where}): {text}." for text in leaks)), bool(leaks)


def check_apart(
    training: tuple[str, Sequence[str], Sequence[str], Sequence[str]],
    external: tuple[str, Sequence[str], Sequence[str], Sequence[str]] | None,
    *,
    allow: bool = False,
) -> tuple[tuple[str, ...], bool]:
    """Check that no patient and no scan stands in both cohorts, and no scan under two patients of one cohort.

    Args:
        training, external: how messages call the cohort; ids, patients and marks of its rows.
        allow: say it instead of refusing.

    Returns:
        remarks, and whether somebody is in both.

    Raises:
        LeakageError: somebody is; the message names them.
    """
    leaks = _twice(*training)
    if external is not None:
        leaks += _twice(*external)
        mine = {patient.strip().casefold() for patient in training[2]}
        both = [
            case for case, patient in zip(external[1], external[2], strict=True) if patient.strip().casefold() in mine
        ]
        if both:
            leaks.append(f"{some(both, 'patient')} ({len(both)} in all) of {external[0]} are in {training[0]} as well")
        owner = dict(zip(training[3], training[1], strict=True))
        same = [
            f"{case} is {owner[mark]}"
            for case, mark in zip(external[1], external[3], strict=True)
            if mark in owner and case not in both
        ]
        if same:
            leaks.append(f"the same scan stands in both cohorts: {some(same, 'case')}")
    if leaks and not allow:
        raise LeakageError(
            f"This experiment would leak: {'; '.join(leaks)}. Who trains a model cannot test it: leave those rows out, "
            "or correct the column patient. --allow-leakage runs it all the same and marks every output as leaking."
        )
    return tuple(f"LEAKAGE: {text}." for text in leaks), bool(leaks)


def _twice(where: str, ids: Sequence[str], patients: Sequence[str], marks: Sequence[str]) -> list[str]:
    """Scans that stand twice under different patients would fall into different folds."""
    owners: dict[str, dict[str, str]] = defaultdict(dict)
    for case, patient, mark in zip(ids, patients, marks, strict=True):
        owners[mark].setdefault(patient.casefold(), case)
    repeated = [" and ".join(cases.values()) for cases in owners.values() if len(cases) > 1]
    return [f"{where}: the same scan stands under different patients: {some(repeated, 'case')}"] if repeated else []
