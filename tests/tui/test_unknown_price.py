"""What asked an endpoint without prices has cost nobody knows what: no face tells it as nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.tui.made_tasks import make_detail, make_row
from tests.tui.test_rows import NOW, summary, texts
from vqa_tui.cli.item_text import detail_text
from vqa_tui.cli.run_lines import FIRST_NUMBER, KEY_TITLES, key_words
from vqa_tui.domain.run import EngineState, KeyView, Phase
from vqa_tui.domain.run_contents import DeletedRuns, RunContents
from vqa_tui.tui.present.attempts import attempt_block
from vqa_tui.tui.present.consequences import contents_words, deleted_words, paid_words
from vqa_tui.tui.present.inspect import headline
from vqa_tui.tui.present.keys import key_row, key_text
from vqa_tui.tui.present.lists import run_detail, runs_totals
from vqa_tui.tui.present.notices import notices
from vqa_tui.tui.present.run_rows import run_row
from vqa_tui.tui.present.seen import RunLine, SeenRuns

FREE = Decimal(0)
RUN = summary(spent=FREE, price_known=False)


def test_the_list_of_runs() -> None:
    row, detail = texts(run_row(RunLine(RUN), NOW).cells), run_detail(RunLine(RUN)).plain
    assert "| – |" in row and "$" not in row
    assert "price unknown" in detail and "$" not in detail
    assert "$0.00" in texts(run_row(RunLine(replace(RUN, price_known=True)), NOW).cells)


@pytest.mark.parametrize(
    "runs, words",
    [
        ((RUN,), "price unknown"),
        ((RUN, summary()), "$1.84 spent and 1 of unknown price"),
        ((summary(),), "$1.84 spent"),
    ],
)
def test_the_total_of_runs(runs: tuple[object, ...], words: str) -> None:
    seen = SeenRuns(tuple(RunLine(run) for run in runs), NOW)  # type: ignore[arg-type]
    assert runs_totals(seen).plain.endswith(f" · {words}")


def test_keys() -> None:
    key = KeyView("main", "main", "ok", requests=69, errors=46, price_known=False)
    assert "$" not in texts(key_row(key, NOW).cells) and key_row(key, NOW).cells[-1] == "–"
    assert key_words(key, NOW)[KEY_TITLES.index("spent")] == "–" and FIRST_NUMBER
    assert "46 errors, price unknown" in key_text(key, NOW)
    assert "$0.00 spent" in key_text(replace(key, price_known=True), NOW)


def test_an_item_and_its_attempts() -> None:
    detail = make_detail(replace(make_row(1), cost=FREE, price_known=False), "/x.jpg")
    detail = replace(detail, attempts=tuple(replace(each, cost=FREE) for each in detail.attempts))
    assert "price unknown" in headline(detail).plain and "$" not in headline(detail).plain
    assert "price unknown" in attempt_block(detail.attempts[0], price_known=False).plain
    assert "price unknown" in detail_text(detail) and "$" not in detail_text(detail)


def test_the_notice_of_a_run_that_is_done() -> None:
    before = {RUN.id: (Phase.RUNNING, EngineState.ALIVE)}
    (notice,) = notices(before, [replace(RUN, phase=Phase.DONE)])
    assert notice.words.endswith("failed, price unknown")


def test_what_may_have_been_paid_takes_its_name_to_be_deleted() -> None:
    asked = RunContents("first", 40, 129, 0, 0, FREE, FREE, price_known=False)
    assert asked.paid and paid_words(asked) == "Its replies may have been paid for."
    assert "129 attempts of unknown price" in contents_words(asked)
    assert not replace(asked, attempts=0).paid and not replace(asked, price_known=True).paid
    assert paid_words(replace(asked, price_known=True)) == ""
    assert paid_words(replace(asked, spent=Decimal(1), price_known=True)) == "Its replies were paid for."


@pytest.mark.parametrize(
    "deleted, words",
    [
        (DeletedRuns(1, unpriced=1), "price unknown, by 1 deleted run"),
        (DeletedRuns(3, Decimal("4.20"), unpriced=1), "$4.20 by 3 deleted runs, 1 of unknown price"),
        (DeletedRuns(2, Decimal("4.20")), "$4.20 by 2 deleted runs"),
    ],
)
def test_deleted_runs(deleted: DeletedRuns, words: str) -> None:
    assert deleted.paid and deleted_words(deleted) == words
