"""The report is one page that needs nothing else, says what it is, and shows what the result says."""

import base64
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from Testing.unit.reports.fake_fingerprint import fake_result

pytest.importorskip("matplotlib")

from deepradiomics.reports.charts import largest
from deepradiomics.reports.fingerprint.report import render_report, write_report


@pytest.fixture(scope="module")
def html() -> str:
    return render_report(fake_result())


class _Reader(HTMLParser):
    """Collects tags, their attributes and texts, and fails on tags that are not closed."""

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


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_the_page_is_well_formed_and_loads_nothing_from_elsewhere(html: str) -> None:
    reader = _Reader()
    reader.feed(html)
    assert reader.open == []
    sources = [value for _, name, value in reader.attributes if name in ("src", "href", "srcset", "data")]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<script" not in html
    assert "url(" not in html
    assert "@import" not in html


def test_every_picture_is_a_png_with_an_alternative_text(html: str) -> None:
    pictures = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', html)
    assert len(pictures) == 3 + 1 + 3 + 1  # planes a task, views, contributions a task, relevance
    assert all(base64.b64decode(data)[:8] == b"\x89PNG\r\n\x1a\n" and text for data, text in pictures)


def test_it_warns_in_red_and_labels_a_synthetic_model(html: str) -> None:
    box = re.search(r'<div class="warning" role="alert">(.*?)</div>', html, re.S)
    assert box is not None
    assert "means nothing clinically" in box[1]
    assert "not a medical device" in box[1]
    assert re.search(r"\.warning \{[^}]*color: #b00020", html)
    assert html.count("synthetic model</span>") == 3  # once a task
    real = render_report(fake_result(("acl",), synthetic_model=False, disclaimer=""))
    assert "SYNTHETIC" not in real
    assert "not a medical device" in real


def test_reformatted_views_are_told(html: str) -> None:
    assert "reformatted from sagittal" in html
    assert "was reformatted from the sagittal image, not acquired" in html


def test_predictions_and_sums_stand_as_in_the_result(html: str) -> None:
    result = fake_result()
    words = _words(html)
    for task, values in result.prediction["tasks"].items():
        assert f"{values['probability']:.3f}" in words
        assert f"{values['selected']} of {values['pool']}" in words
        total = sum(row.contribution for row in result.rows if row.task == task)
        assert f"logit {values['logit']:+.3f}".replace("-", "−") in words
        assert values["intercept"] + total == pytest.approx(values["logit"])


def test_texts_from_outside_are_escaped() -> None:
    page = render_report(fake_result(("acl",), case_id="<script>alert(1)</script>", notes=["a < b & c"]))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "a &lt; b &amp; c" in page


def test_no_path_of_this_machine_stands_in_the_report(html: str) -> None:
    # Pictures are base64 and may hold any letters, so only the text is searched.
    assert str(Path.home()) not in _words(html)
    assert str(Path(__file__).parent) not in _words(html)


def test_the_largest_contributions_are_selected_ones_in_order() -> None:
    rows = [row for row in fake_result(("acl",)).rows if row.task == "acl"]
    top = largest(rows, 20)
    sizes = [abs(row.contribution) for row in top]
    assert sizes == sorted(sizes, reverse=True)
    assert all(row.selected for row in top)
    assert sizes[-1] >= max(abs(r.contribution) for r in rows if r.selected and r not in top)


def test_an_empty_fingerprint_and_a_multi_class_task_still_make_a_report() -> None:
    result = fake_result(("grade",))
    for row in result.rows:
        row.selected, row.contribution = False, 0.0
    result.prediction["tasks"]["grade"].update(
        type="multiclass", classes=["low", "middle", "high"], probabilities=[0.2, 0.5, 0.3], probability=None,
        logit=[0.1, 0.6, 0.2], intercept=[0.1, 0.6, 0.2], predicted=1, decision_threshold=None, selected=0,
        by_inference={"paper": [0.2, 0.5, 0.3]},
    )  # fmt: skip
    words = _words(render_report(result))
    assert "no feature was selected" in words
    assert "middle 0.500" in words


def test_a_flat_map_does_not_end_the_report() -> None:
    result = fake_result(("acl",))
    for maps in (result.relevance, result.gradcam):
        flat = maps["acl"]
        maps["acl"] = type(flat)(np.zeros_like(flat.voxels), flat.geometry)
    assert "Grad-CAM is empty" in render_report(result)


def test_the_file_is_written_whole(tmp_path: Path) -> None:
    write_report(fake_result(("acl",)), tmp_path / "new" / "report.html")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["report.html"]
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def outside(**changes: object) -> object:
    """A case with half of its features far from the training cohort, positive in every task."""
    result = fake_result(
        ("acl",), outside_training_cohort=True, outside_share=0.49, outside_limit=0.1, synthetic_model=False, **changes
    )
    result.prediction["tasks"]["acl"].update(predicted=1, beyond_3sd=0.49, probability=1.0)
    return result


def test_outside_the_training_cohort_there_is_no_class_and_no_red() -> None:
    page = render_report(outside())
    table = page[page.index("<h2>Prediction</h2>") : page.index("<h2>Where the model looked</h2>")]
    assert "outside the training cohort" in table
    assert "49% of the features" in table
    assert "limit 10%" in table
    assert "positive" not in table
    assert "negative" not in table
    assert '<span class="outside">' in table
    inside = render_report(fake_result(("acl",)))
    assert "outside the training cohort" not in inside
    assert re.search(r'class="(positive|negative)"', inside)


def test_tasks_are_read_by_their_titles() -> None:
    result = fake_result(("acl_tear", "grade"))
    result.prediction["tasks"]["grade"]["title"] = "Grade of the lesion"
    words = _words(render_report(result))
    assert "Acl tear" in words
    assert "acl_tear" not in words.replace("label_acl_tear", "")
    assert "Grade of the lesion: relevance" in words


@pytest.mark.parametrize(
    ("low", "high", "said", "not_said"),
    [
        (0.5500, 0.5502, "none is the most relevant one", "most relevant patch ("),
        (0.541, 0.549, "which is narrower (0.541 to 0.549)", "none is the most relevant"),
        (0.3, 0.8, "the colours span this case's range (0.300 to 0.800)", "narrower"),
    ],
)
def test_a_flat_map_is_called_flat(low: float, high: float, said: str, not_said: str) -> None:
    result = fake_result(("acl",))
    for number, patch in enumerate(result.prediction["patches"]):
        patch["relevance"]["acl"] = low + (high - low) * number / 7
    words = unescape(_words(render_report(result)))
    assert said in words
    assert not_said not in words


def test_one_contribution_is_one() -> None:
    result = fake_result(("acl",))
    for row in result.rows[1:]:
        row.selected, row.contribution = False, 0.0
    result.rows[0].selected, result.rows[0].contribution = True, 0.5
    page = render_report(result)
    assert "The 1 largest contribution to Acl" in page
    assert "the 1 feature of the fingerprint" in page
