"""The lens report needs nothing else, says what it is, shows the files' numbers and admits what is not known."""

from __future__ import annotations

import base64
import dataclasses
import re
from html import unescape
from html.parser import HTMLParser
from math import nan
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from deepradiomics.lens.readings import READINGS
from deepradiomics.lens.result import LensResult
from deepradiomics.reports.canvas import shortened
from deepradiomics.reports.lens.case import read_case
from deepradiomics.reports.lens.report import render_report
from deepradiomics.words import number, p_value, signed
from Testing.unit.reports.fake_lens import write_fake_lens


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> LensResult:
    return LensResult.read(write_fake_lens(tmp_path_factory.mktemp("lens"), images=("original", "wavelet-LLH")))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> LensResult:
    """One modality, no permutations, no downstream performance, nothing left out, real data."""
    folder = write_fake_lens(
        tmp_path_factory.mktemp("lens"), modalities=("t2",), images=("original",), permutations=0, evaluation=False,
        synthetic=False, case=False, task="Volume REG",
    )  # fmt: skip
    found = LensResult.read(folder)
    return dataclasses.replace(
        found, dropped=(), about={**found.about, "dropped_cases": [], "warnings": [], "leakage": None}
    )


@pytest.fixture(scope="module")
def page(result: LensResult) -> str:
    return render_report([result], [[read_case(result.folder / "case")]])


@pytest.fixture(scope="module")
def bare_page(bare: LensResult) -> str:
    return render_report([bare])


@pytest.fixture(scope="module")
def joint_page(result: LensResult, bare: LensResult) -> str:
    return render_report([result, bare])


class _Reader(HTMLParser):
    """Collects attributes and headings, and fails on tags that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _words(page: str) -> str:
    without_style = re.sub(r"<style>.*?</style>", " ", page, flags=re.S)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", without_style)))


@pytest.mark.parametrize("which", ["page", "joint_page", "bare_page"])
def test_the_page_is_well_formed_and_loads_nothing_from_elsewhere(which: str, request: pytest.FixtureRequest) -> None:
    shown = request.getfixturevalue(which)
    reader = _Reader()
    reader.feed(shown)
    assert reader.open == []
    sources = [value for _, name, value in reader.attributes if name in ("src", "href", "srcset", "data", "action")]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<script" not in shown
    assert "url(" not in shown
    assert "@import" not in shown
    assert "http" not in _words(shown)
    assert "nan" not in _words(shown).split()
    assert "None" not in _words(shown).split()


def test_every_picture_is_a_png_with_an_alternative_text(page: str) -> None:
    pictures = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', page)
    assert len(pictures) == 5  # figure 2, figure 3 by ΔI and by ΔE, the overview, the case
    assert all(base64.b64decode(data)[:8] == b"\x89PNG\r\n\x1a\n" and text for data, text in pictures)


def test_synthetic_data_and_research_use_stand_in_red_at_the_top(page: str, bare_page: str, joint_page: str) -> None:
    box = re.search(r'<div class="warning" role="alert">(.*?)</div>', page, re.S)
    assert box is not None
    assert "SYNTHETIC DATA: these numbers" in box[1]
    assert "not a medical device" in box[1]
    assert "SYNTHETIC DATA" not in bare_page
    assert "not a medical device" in bare_page
    assert "SYNTHETIC DATA (PIRADS CLS)" in joint_page  # which of the two


def test_the_picked_features_stand_with_their_numbers_and_in_words(page: str, result: LensResult) -> None:
    words = _words(page)
    for by in READINGS:
        for group in ("top", "bottom", "stable"):
            for row in result.picked(group, by):  # type: ignore[arg-type]
                assert row["feature"] in words
                assert f"{number(row[by.before])} → {number(row[by.after])}" in words
                ends = (row[f"{by.delta}_low"], row[f"{by.delta}_high"])
                assert f"{signed(row[by.delta])} [{signed(ends[0])}, {signed(ends[1])}]" in words
                assert f"q {p_value(row[by.q])}" in words
    assert "Wavelet band LLH of the image" in words  # a filtered image is explained


def test_counts_of_shifts_that_differ_are_those_of_the_file(page: str, result: LensResult) -> None:
    words, rows = _words(page), result.shift
    clear = []
    for by in READINGS:
        by_q = sum(row[by.q] < 0.05 for row in rows)
        family = sum(row[by.p_family] < 0.05 for row in rows)
        said = f"{by_q} of {len(rows)} features at q < 0.05; {family} at a family-wise p < 0.05"
        assert f"Permutation null of {by.shift}: {said}" in words
        clear.append(sum(row[f"{by.delta}_low"] > 0 or row[f"{by.delta}_high"] < 0 for row in rows))
    assert f"intervals of {len(rows)} features, {clear[1]} of ΔE and {clear[0]} of ΔI do not hold 0" in words


def test_where_q_found_nothing_it_is_said_what_it_could_have_found(result: LensResult) -> None:
    some = [{**row, "q_explained": 1.0} for row in result.shift]
    assert "No ΔE reaches that q; those with a small" in _words(
        render_report([dataclasses.replace(result, shift=some)])
    )
    none = dataclasses.replace(result, shift=[{**row, "p_family_explained": 1.0} for row in some])
    words = _words(render_report([none]))
    # 558 features, 200 permutations: p = 1/201, so q = 558 / 201 / place < 0.05 from place 56 on
    assert len(result.shift) == 558
    assert 558 / 201 / 56 < 0.05 < 558 / 201 / 55
    assert "its lists above may be chance. But with 200 permutations" in words
    assert "takes 56 features at once with the smallest p there is, 0.005" in words
    assert "No ΔI" not in words


def test_what_is_not_known_is_said(bare: LensResult, bare_page: str) -> None:
    words = _words(bare_page)
    assert "No permutation null was computed: which shifts differ between the two encoders is not known" in words
    assert "No downstream performance was given" in words
    assert "Features left out: none" in words
    assert "Cases left out: none" in words
    assert "Warnings None." in words
    row = bare.picked("top")[0]
    assert f"{signed(row['delta_i'])} [{signed(row['delta_i_low'])}, {signed(row['delta_i_high'])}] – q –" in words


def test_variants_that_were_not_computed_are_left_out(bare: LensResult) -> None:
    names = ("delta_i_standardised", "delta_i_fit_ft", "delta_i_fit_both")
    none = dataclasses.replace(bare, shift=[{**row, **dict.fromkeys(names, nan)} for row in bare.shift])
    page = render_report([none])
    assert "fit on both" not in page
    assert "projection trained on both" not in page
    assert "ΔE: the spread that is explained" in page  # is always there


def test_which_reading_to_believe_is_said(result: LensResult, page: str) -> None:
    assert "ΔI can be read" in _words(page)
    assert "rather than radiomic content" not in _words(page)
    noisy = dataclasses.replace(result, shift=[{**row, "noise_pre": 0.7, "noise_ft": 0.9} for row in result.shift])
    words = _words(render_report([noisy]))
    assert "ΔI can be read" not in words
    assert "ΔI here measures estimation noise rather than radiomic content" in words
    assert words.index("Read the explained spread, ΔE, instead") < words.index("By importance: ΔI")


def test_the_explained_spread_leads(page: str, result: LensResult) -> None:
    words = _words(page)
    order = [
        "What changed", "By explained spread: ΔE", "Figure 3, by explained spread",
        "By importance: ΔI, as in the paper", "Figure 3, as in the paper",
    ]  # fmt: skip
    places = [words.index(text, words.index("What changed")) for text in order]
    assert places == sorted(places)
    gained = sum(row["delta_explained"] > 0 for row in result.shift)
    assert f"Of {len(result.shift)} features, more of {gained} can be read after fine-tuning" in words
    assert "beyond noise" not in words
    assert "more than noise" not in words
    assert "differs between the two encoders (permutation, q < 0.05)" in words


@pytest.mark.parametrize(("other", "said"), [(-1.0, "the sign turns with"), (0.5, "the sign is unexplained unless")])
def test_the_sign_with_the_layer_of_the_other_encoder_is_told(bare: LensResult, other: float, said: str) -> None:
    turned = [{**row, "delta_i": 2.0, "delta_i_fit_ft": other} for row in bare.shift]
    words = _words(render_report([dataclasses.replace(bare, shift=turned)]))
    assert f"A typical ΔI is +2.00, and {signed(other)} with the projection" in words
    assert said in words


def test_what_the_encoders_see_and_the_epoch_kept_are_told(bare: LensResult) -> None:
    past = {"pretraining": {"metrics": {"best_epoch": 9, "epochs": 10}}}
    before = {"name": "a", "channels": ["t2", "adc"], "about": past}
    after = {"name": "b", "channels": ["t2"], "about": {**past, "finetuning": {"metrics": {"best_epoch": 1}}}}
    changed = dataclasses.replace(bare, about={**bare.about, "encoders": {"pre": before, "ft": after}})
    words = _words(render_report([changed]))
    assert "sees T2, ADC" in words
    assert "sees T2 alone" in words
    assert "9 of 10" in words
    assert "The fine-tuning was best after its first epoch" in words
    assert "The pre-training was best" not in words
    assert "The encoder before sees T2, ADC, the one after T2 alone" in words


def test_leakage_comes_before_the_other_warnings(page: str) -> None:
    words = _words(page)
    seen = words.index("What the encoders had seen. The fine-tuning cohort was part of the pre-training cohort.")
    assert seen < words.index("84 training patients for 256 hidden units")


def test_texts_from_outside_are_escaped(bare: LensResult) -> None:
    evil = "<img src=x onerror=alert(1)> & co"
    about = {
        **bare.about, "task": evil, "warnings": [evil], "leakage": evil, "methods_text": evil, "roi": evil,
        "command": evil, "controls": [evil], "dropped_cases": [{"id": evil, "reason": evil}],
        "encoders": {"pre": {"name": evil}, "ft": {"name": evil}}, "config": {"a": evil},
    }  # fmt: skip
    changed = dataclasses.replace(bare, about=about, dropped=({"modality": evil, "feature": evil, "reason": evil},))
    shown = render_report([changed])
    assert "<img src=x" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; co" in shown


def test_provenance_holds_the_encoders_facts_but_not_its_marks_of_cases(bare: LensResult) -> None:
    identity = {"name": "mine", "sha256": "ef" * 32, "about": {"pretraining": {"marks": {"train": ["secretmark"]}}}}
    changed = dataclasses.replace(bare, about={**bare.about, "encoders": {"pre": identity, "ft": identity}})
    words = _words(render_report([changed]))
    assert "ef" * 32 in words
    assert "secretmark" not in words


def test_no_path_of_this_machine_stands_in_the_report(page: str, result: LensResult) -> None:
    assert str(Path.home()) not in _words(page)
    assert str(result.folder) not in _words(page)


def test_what_all_tasks_share_is_said_once(bare: LensResult) -> None:
    warned = {**bare.about, "warnings": ["84 training patients for 256 hidden units"]}
    two = [dataclasses.replace(bare, about={**warned, "task": task}) for task in ("PIRADS CLS", "Volume REG")]
    words = _words(render_report(two))
    assert words.count("84 training patients for 256 hidden units") == 1
    assert "PIRADS CLS, Volume REG" in words


def test_numbers_are_printed_alike_everywhere() -> None:
    assert (number(-0.1234), number(nan), number(None)) == ("−0.123", "–", "–")
    assert (number(0.0), number(9.9996), number(1035.932), number(-56.789)) == ("0.000", "10.000", "1036", "−56.79")
    assert (signed(1035.932), signed(-12345.6), signed(123.456, 2)) == ("+1036", "−12346", "+123")
    assert (signed(0.1), signed(-0.1), signed(-0.0123), signed(nan)) == ("+0.100", "−0.100", "−0.0123", "–")
    assert (signed(9.999), signed(-4.5), signed(0.0), signed(-4e-6), signed(-7e-6)) == (
        "+10.0", "−4.50", "0", "0", "−0.00001",
    )  # fmt: skip
    assert (p_value(0.0004), p_value(0.001), p_value(0.05), p_value(nan)) == ("< 0.001", "0.001", "0.050", "–")
    assert shortened("abcdefghij", 7) == "abc…hij"
    assert shortened("abc", 7) == "abc"
