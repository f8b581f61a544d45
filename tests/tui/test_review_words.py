"""What review says, without an app: the sentence of the estimate, lines that fit, edits beside what was written."""

from dataclasses import replace

import pytest

from vqa_tui.domain.defect_rate import DefectRate
from vqa_tui.domain.item import GroundTruth
from vqa_tui.domain.review import Order, ReviewFilter, ReviewPair, Verdict
from vqa_tui.domain.sample import Sample
from vqa_tui.operations.reviewing import ReviewStatus
from vqa_tui.tui.present.inspect import pairs_text
from vqa_tui.tui.present.review import estimate_line, nothing_left_text, pair_text, review_header, stands_beside
from vqa_tui.tui.present.review_words import estimate_sentence, mending_words

ENOUGH = DefectRate(180, 0.031, 0.008, 0.021, 0.045, 0.02, 0)
STATUS = ReviewStatus(3_400, 170, 2, 5, 3, ENOUGH, ("count",))
SAMPLE = Sample(
    1, 0, "Where?", "Left.", "location", ("risk_words",), "accepted", None, "Right.", "side was wrong", "ann"
)


def test_the_sentence_says_rate_exactness_and_whether_it_is_enough() -> None:
    assert estimate_sentence(ENOUGH, 0.02) == "defect rate 3.1 % ± 1.2 % after 180: enough"
    more = replace(ENOUGH, low=0.01, high=0.09, more=60)
    assert estimate_sentence(more, 0.02) == "defect rate 3.1 % ± 4.0 % after 180: about 60 more for ± 2 %"
    assert mending_words(ENOUGH) == "0.8 % needed mending" and mending_words(None) == ""
    assert "no defect rate yet" in estimate_sentence(None, 0.025) and "± 2.5 %" in estimate_sentence(None, 0.025)


@pytest.mark.parametrize("width", [30, 60, 78, 120, 198])
def test_lines_fit_and_keep_what_matters_longest(width: int) -> None:
    header = review_header("stcray-train", STATUS, Order.FLAGGED_FIRST, ReviewFilter(flagged=True), width)
    assert header.cell_length <= max(width, 30)
    assert "180 of 3 400 pairs reviewed" in header.plain
    line = estimate_line(STATUS, 0.02, last="pair 7 accepted · u undoes", pending=0, width=width)
    assert "3.1 % ± 1.2 % after 180: enough" in line.plain
    assert line.cell_length <= max(width, 46)
    late = estimate_line(STATUS, 0.02, last="", pending=2, width=width)
    assert late.plain.startswith("◔ 2 verdicts not written yet")


def test_with_long_counts_the_header_keeps_the_name() -> None:
    many = replace(STATUS, pairs=123_400, accepted=12_000, edited=230, rejected=3_100, unsure=180)
    header = review_header("stcray-train", many, Order.STRATIFIED, ReviewFilter(), 78)
    assert header.plain.startswith("stcray-train ") and "15 510 of 123 400 pairs reviewed" in header.plain
    assert header.cell_length <= 78
    long = review_header("x" * 50, many, Order.STRATIFIED, ReviewFilter(), 78)
    assert long.plain.startswith("xxx") and "15 510 of 123 400 pairs reviewed" in long.plain


def test_an_edit_is_shown_beside_what_was_written() -> None:
    shown = pairs_text((SAMPLE,)).plain
    assert "A Right." in shown and "A as written  Left." in shown and "note  side was wrong" in shown
    assert "✎ accepted, edited" in shown and "Q as written" not in shown
    pair = ReviewPair(SAMPLE, "a.jpg", "/x/a.jpg", (640, 480), GroundTruth(states_none=True))
    for brief in (True, False):
        text = pair_text(pair, brief=brief).plain
        assert "A  Right." in text and "A as written  Left." in text and "⚑ risk words" in text
        assert "nothing of what the dataset labels" in text


def test_the_picture_stands_where_it_is_larger() -> None:
    assert stands_beside((640, 480), 80, 21)
    assert not stands_beside((1_600, 400), 80, 21)
    assert stands_beside((480, 640), 100, 27)


def test_the_end_is_told_by_its_reason() -> None:
    assert "Every pair has a verdict" in nothing_left_text(STATUS, ReviewFilter(), 0).plain
    assert "passed over" in nothing_left_text(STATUS, ReviewFilter(), 2).plain
    assert "No pair of this choice" in nothing_left_text(STATUS, ReviewFilter(verdict=Verdict.UNSURE), 0).plain
    assert "No pair is stored yet" in nothing_left_text(None, ReviewFilter(), 0).plain
