"""What an evaluation found, in words and figures for any width."""

from dataclasses import replace

import pytest

from tests.domain.test_evaluation import made
from tests.tui.made_tasks import NOW
from tests.tui.made_trainings import made_evaluation
from vqa_tui.domain.evaluation import EvaluationSight
from vqa_tui.tui.present.evaluation_text import evaluation_text, progress_of


def drawn(sight: EvaluationSight, width: int = 56, why_not: str | None = None) -> str:
    return evaluation_text(sight, why_not=why_not, now=NOW, width=width).plain


def test_without_one_it_says_what_to_do_or_why_that_cannot_be() -> None:
    assert "Not evaluated yet" in drawn(EvaluationSight()) and "t begins." in drawn(EvaluationSight())
    assert drawn(EvaluationSight(), why_not="No rows are held out.").endswith("No rows are held out.")


def test_every_figure_says_whether_it_is_better_in_a_word() -> None:
    lines = drawn(EvaluationSight(made_evaluation())).splitlines()
    assert lines[0].startswith("40 of 40 held-out rows  adapter, ")
    found = {line[:13].strip(): line[13:].split() for line in lines[2:8]}
    assert found == {
        "loss": ["7.0912", "0.5117", "✔", "better"],
        "exact match": ["0.0", "%", "87.5", "%", "✔", "better"],
        "VQA accuracy": ["0.0", "%", "87.5", "%", "✔", "better"],
        "token F1": ["0.051", "0.912", "✔", "better"],
        "ROUGE-L": ["0.050", "0.900", "✔", "better"],
        "BLEU": ["1.2", "71.3", "✔", "better"],
    }
    worse = made_evaluation()
    turned = replace(worse, all=replace(worse.all, base=worse.all.tuned, tuned=worse.all.base))
    assert drawn(EvaluationSight(turned)).count("✖ worse") == 6
    assert drawn(EvaluationSight(replace(worse, all=replace(worse.all, tuned=worse.all.base)))).count("= same") == 6


def test_a_figure_that_no_row_has_is_unknown_and_neither_better_nor_worse() -> None:
    lines = drawn(EvaluationSight(made())).splitlines()
    loss = next(line for line in lines if line.startswith("loss"))
    assert loss.split() == ["loss", "–", "0.2500"]


@pytest.mark.parametrize("width", [40, 56, 76, 127, 128, 196])
def test_groups_have_the_figures_that_there_is_room_for(width: int) -> None:
    words = drawn(EvaluationSight(made_evaluation()), width)
    assert "Question type" in words and "Category" in words and "Knife" in words
    table = words[words.index("Question type") : words.index("Answered worst")]
    assert ("ROUGE-L" in table) is (width >= 128)
    assert "0.051 → 0.912 ✔" in table and "0.912 → 0.051 ✖" in table
    if width >= 56:
        assert max(len(line) for line in table.splitlines()) <= width


def test_one_at_work_tells_how_far_it_is_and_keeps_what_was_found_before() -> None:
    said = ("loading libraries", "base: row 1 of 40", "base: row 40 of 40", "tuned: row 10 of 40")
    words = drawn(EvaluationSight(made_evaluation(), said=said))
    assert words.startswith("● evaluating") and "50 of 80 answers  62.5 %" in words
    assert "X ends it" in words and "tuned: row 10 of 40" in words and "0.5117" in words


def test_progress_counts_the_answers_of_both_models() -> None:
    assert progress_of(("loading libraries",)) is None
    assert progress_of(("base: row 1,200 of 2,400", "left out: base: row 1 of 2: broken")) == (1_200, 4_800)
    assert progress_of(("tuned: row 3 of 4", "judging")) == (7, 8)


def test_why_one_found_nothing_is_told_beside_what_was_found_before() -> None:
    words = drawn(EvaluationSight(made_evaluation(), problem="the newest evaluation found nothing: out of memory"))
    assert words.startswith("✖ the newest evaluation found nothing: out of memory") and "0.5117" in words
