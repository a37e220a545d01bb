"""IBSI's reference values: every one that this version computes is met; what it leaves out is named."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.radiomics.catalogue.ibsi import AGGREGATIONS, aggregations_of, entries
from Testing.reference.ibsi.ibsi_cases import Reference, computed, references, three_digits
from Testing.reference.ibsi.ibsi_manual import manual_references
from Testing.reference.ibsi.ibsi_table import LATER, MET, judge

# how many values are to be met: families (shape, statistics, two of the histogram, texture, diagnostics)
EXPECTED = {
    "digital_phantom": 399,
    "A": 339,
    "C": 219,
    "1.A": 18,
    "1.B": 18,
    "2.A": 18,
    "2.B": 18,
    "3.A": 18,
    "3.B": 18,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_reference_value_of_what_is_computed_is_met(name: str, data_dir: Path) -> None:
    ours = computed(name, data_dir)
    mine = [r for r in references(data_dir) if r.configuration == name and r.value is not None]
    states = Counter(judge(r, ours) for r in mine)
    missed = [(r.tag, ours.get(r.tag), r.value, r.tolerance) for r in mine if judge(r, ours) not in (MET, LATER)]
    assert missed == []
    assert states[MET] == EXPECTED[name]


def test_only_the_families_left_for_later_have_no_value(data_dir: Path) -> None:
    absent = Counter(
        r.family
        for r in references(data_dir)
        if r.configuration == "digital_phantom" and r.tag not in computed("digital_phantom", data_dir)
    )
    assert absent == {
        "Morphology": 10,  # four bounding boxes, four ellipsoids, Moran, Geary
        "Local intensity": 2,
        "Intensity histogram": 21,
        "Intensity volume histogram": 7,
        "Distance zone matrix": 48,
    }


def test_the_digital_phantom_gives_every_texture_feature_in_every_aggregation(data_dir: Path) -> None:
    ours = computed("digital_phantom", data_dir)
    for family, count in {"glcm": 25, "glrlm": 16, "glszm": 16, "gldm": 17, "ngtdm": 5}.items():
        assert len(entries()[family]) == count
        ways = aggregations_of(family, tuple(AGGREGATIONS))
        found = [
            tag for tag in ours if tag.startswith(next(iter(entries()[family].values())).tag.partition("_")[0] + "_")
        ]
        assert len(found) == count * len(ways), family
    assert all(np.isfinite(value) for value in ours.values())


def test_the_rule_can_fail(data_dir: Path) -> None:
    volume = next(r for r in references(data_dir) if r.tag == "morph_volume")  # 556 ± 4
    assert volume.is_met(559.7)
    assert volume.is_met(552.4)
    assert not volume.is_met(551.4)
    assert not volume.is_met(560.6)


def test_values_are_rounded_to_three_digits_before_they_are_compared() -> None:
    assert three_digits(0.0123456) == 0.0123
    assert three_digits(-98765.0) == -98800.0
    assert three_digits(0.0) == 0.0
    exact = Reference("A", "", "", "", "", "", 0.123, 0.0, "")
    assert exact.is_met(0.12349)
    assert not exact.is_met(0.12351)
    long = Reference("A", "", "", "", "", "", 125256.0, 0.0, "")
    assert long.is_met(125256)
    assert not long.is_met(125300)


def test_the_reference_is_of_all_nine_configurations(data_dir: Path) -> None:
    assert {r.configuration for r in references(data_dir)} == set(EXPECTED)
    assert len(references(data_dir)) == 1281


@pytest.mark.parametrize(("name", "size", "values"), [("B", (100, 99, 60), 277), ("D", (100, 99, 90), 158),
                                                      ("E", (100, 99, 90), 158)])  # fmt: skip
def test_configurations_b_d_and_e_run_and_meet_the_manuals_values_where_it_is_named(
    name: str, size: tuple[int, int, int], values: int, data_dir: Path
) -> None:
    ours = computed(name, data_dir)
    assert all(np.isfinite(value) for value in ours.values())
    assert tuple(ours[f"img_dim_{axis}_interp_img"] for axis in "xyz") == size
    assert ours["int_mask_vox_count_reseg_roi"] < ours["int_mask_vox_count_interp_roi"]
    mine = [r for r in manual_references() if r.configuration == name]
    assert [(r.tag, ours[r.tag], r.value) for r in mine if judge(r, ours) != MET] == []
    assert len(mine) in (0, values), "none where the manual is not named"


def test_the_manuals_tables_are_read_in_all_their_spellings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "features.rst"
    page.write_text(
        """<p style="text-align:right">RNU0</p>
   | config. A | :math:`3.58 \\times 10^{5}` | 7 | strong |
   | config. B | :math:`3.58 \\times 10^{5}` | :math:`5 \\times 10^{3}` | strong |
<p style="text-align:right">8ZQL</p>
   | config. D | 2.5D, direction-merged | :math:`-`\\ 0.5 | — | moderate |
   | config. D | 3D, averaged | — | — | none |
<p style="text-align:right">ZZZZ</p>
   | config. E | 3D, averaged | 1 | 2 | strong |
""",
        encoding="utf-8",
    )
    monkeypatch.setenv("DEEPRADIOMICS_IBSI_MANUAL", str(page))
    manual_references.cache_clear()
    try:
        found = manual_references()
    finally:
        manual_references.cache_clear()
    assert [(r.configuration, r.tag, r.value, r.tolerance, r.consensus) for r in found] == [
        ("B", "morph_volume", 358000.0, 5000.0, "strong"),
        ("D", "cm_energy_2_5D_avg", -0.5, 0.0, "moderate"),
    ]
