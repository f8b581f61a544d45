"""What the library screens say, without an app: facts, contents, progress, reports, consequences, checks."""

from dataclasses import replace
from pathlib import Path

from tests.tui.test_hostile_text import HOSTILE, RAW
from vqa_tui.config.endpoint import Quota
from vqa_tui.domain.item import ImportProblem
from vqa_tui.operations.config_entries import EndpointEntry, RecipeEntry
from vqa_tui.operations.dataset_contents import CategoryCount, DatasetContents, SizeBand
from vqa_tui.operations.datasets import DatasetView, ImportProgress, ImportReport
from vqa_tui.operations.endpoint_trial import EndpointTrial, TrialStep
from vqa_tui.tui.present.configs import endpoint_row, models_text, recipe_detail, recipe_row
from vqa_tui.tui.present.dataset_items import place_words, problem_text
from vqa_tui.tui.present.dataset_words import deletion_words, why_not_deleted
from vqa_tui.tui.present.datasets import (
    contents_text,
    dataset_facts,
    dataset_row,
)
from vqa_tui.tui.present.endpoint_text import trial_text
from vqa_tui.tui.present.endpoint_words import quota_words, short_quota
from vqa_tui.tui.present.facts import facts
from vqa_tui.tui.present.importing import progress_text, report_text, stop_question, stopped_text
from vqa_tui.tui.present.rows import text

VIEW = DatasetView("bags", "coco", "/data/bags", "/data/bags/a.json", 12_345, 5_000_000, 3, 1.0, 1_790_000_000.0)
REPORT = ImportReport("bags", 10, 2, 1, 4, [ImportProblem("k", "w", "r")], 9_000)


def test_long_values_are_broken_under_themselves() -> None:
    shown = facts([("name", text("one two three four five six")), ("none", text("")), ("x", text("y"))], 24)
    assert shown.plain == "name        one two\n            three four\n            five six\nx           y"
    assert facts([("name", text("one two three"))]).plain == "name        one two three"


def test_a_row_holds_the_numbers_of_its_dataset() -> None:
    cells = [cell.plain for cell in dataset_row(replace(VIEW, runs=("a", "b")), VIEW.imported_at).cells]
    assert cells[:6] == ["bags", "coco", "12 345", "5.0 MB", "3", "2"]


def test_facts_name_some_runs_and_count_the_rest() -> None:
    shown = dataset_facts(replace(VIEW, runs=tuple(f"r{n}" for n in range(11)))).plain
    assert "r0, r1" in shown and "r7 and 3 more" in shown and "r8" not in shown
    assert "none; n starts one" in dataset_facts(VIEW).plain
    assert "3 things could not be imported; p lists them" in dataset_facts(VIEW).plain


def test_contents_leave_out_splits_where_there_are_none() -> None:
    contents = DatasetContents(((None, 4),), (CategoryCount("Knife", 1, 3),), (SizeBand(None, 4, 100),))
    shown = contents_text(contents).plain
    assert "Splits" not in shown and "Categories (1)" in shown and "larger" in shown
    assert "25.0 %" in shown and "3 instances" in shown
    with_splits = contents_text(replace(contents, splits=(("train", 3), (None, 1)))).plain
    assert "Splits" in with_splits and "75.0 %" in with_splits and "none" in with_splits


def test_many_categories_are_counted() -> None:
    many = tuple(CategoryCount(f"c{n}", 1, 1) for n in range(203))
    assert "and 3 more categories" in contents_text(DatasetContents(((None, 1),), many, ())).plain


def test_deleting_says_what_goes_and_what_stays() -> None:
    words = deletion_words(VIEW)
    assert "12 345 pictures and 3 problems in bags go" in words and "/data/bags stay where they are" in words
    assert why_not_deleted(VIEW) is None
    assert "a uses this dataset" in (why_not_deleted(replace(VIEW, runs=("a",))) or "")
    assert "a, b, c and 2 more use this dataset" in (why_not_deleted(replace(VIEW, runs=tuple("abcde"))) or "")


def test_progress_counts_pictures_rate_and_problems() -> None:
    progress = ImportProgress(seen=1_000, added=700, unchanged=200, updated=90, problems=10)
    shown = progress_text(progress, seconds=65, per_second=15.4, opened=True).plain
    for words in ("1 000 pictures so far", "15.4/s", "1m 05s", "700 new", "90 changed", "200 unchanged", "10 problems"):
        assert words in shown
    assert "reading the source" in progress_text(ImportProgress(), seconds=1, per_second=None, opened=False).plain


def test_reports_tell_what_came_of_it() -> None:
    shown = report_text(REPORT, seconds=3).plain
    assert "imported into bags" in shown and "10 added, 2 unchanged, 1 changed" in shown and "4 problems" in shown
    assert "no problem" in report_text(replace(REPORT, problems=0), seconds=3).plain
    assert "No new dataset" in report_text(replace(REPORT, added=0, unchanged=0, updated=0), seconds=3).plain


def test_stopping_says_what_stays() -> None:
    assert stop_question(ImportProgress()) == "Nothing is imported yet."
    assert "5 pictures are imported by now and stay" in stop_question(ImportProgress(added=5))
    assert "Nothing was imported yet" in stopped_text(None, ImportProgress()).plain
    assert "6 pictures came in and stay in bags" in stopped_text("bags", ImportProgress(added=5, updated=1)).plain


def test_quotas_in_full_and_short() -> None:
    quota = Quota(requests_per_minute=60, tokens_per_minute=1_000)
    assert quota_words(quota) == "60 requests a minute, 1000 tokens a minute"
    assert short_quota(quota) == "60 rpm, 1000 tpm"
    assert (quota_words(Quota()), short_quota(Quota())) == ("none stated", "")


def test_a_broken_file_shows_its_problem_where_it_is_seen() -> None:
    problem = "mine.yaml:3: replyy: unknown key\nDid you mean reply?"
    entry = RecipeEntry("mine", Path("/w/recipes/mine.yaml"), False, None, problem)
    assert [cell.plain for cell in recipe_row(entry).cells] == ["mine", "own", "✖ mine.yaml:3: replyy: unknown key"]
    assert "Did you mean reply?" in recipe_detail(entry, "name: mine").plain
    row = endpoint_row(EndpointEntry("mine", Path("/w/mine.yaml"), False, None, problem))
    assert row.cells[3].plain == "✖ mine.yaml:3: replyy: unknown key"


def test_the_model_in_use_is_marked_and_long_lists_are_counted() -> None:
    shown = models_text([f"models/m{n}" for n in range(502)], "m3").plain
    assert "▸ models/m3\n" in shown and "  models/m4\n" in shown and "and 2 more" in shown
    assert "lists no models" in models_text([], "m").plain


def test_a_trial_tells_each_step_and_what_to_do() -> None:
    steps = (TrialStep("address", True, "it answers", "", ""), TrialStep("model", False, "said no", "do this", "a"))
    shown = trial_text(EndpointTrial(False, "http://x", "m", steps)).plain
    assert "✖ it does not work" in shown and "→ do this" in shown
    assert "✔ address: it answers" in shown and "✖ model (a): said no" in shown
    assert "✔ it works  m" in trial_text(EndpointTrial(True, "http://x", "m", steps[:1])).plain


def test_places_in_a_list() -> None:
    assert place_words(4, 1_200).plain == "5 of 1 200"
    assert "keys that hold 'x'" in place_words(0, 1, search="x").plain
    assert (place_words(0, 0).plain, place_words(0, 0, search="x").plain) == ("nothing", "no key holds 'x'")


def test_hostile_text_is_cleaned() -> None:
    view = replace(VIEW, name=HOSTILE, kind=HOSTILE, root=HOSTILE, source=HOSTILE, runs=(HOSTILE,))
    step = TrialStep(HOSTILE, False, HOSTILE, HOSTILE, HOSTILE)
    shown = [
        *(cell.plain for cell in dataset_row(view, 0).cells),
        dataset_facts(view, 40).plain,
        deletion_words(view),
        why_not_deleted(view) or "",
        contents_text(DatasetContents(((HOSTILE, 1),), (CategoryCount(HOSTILE, 1, 1),), ())).plain,
        problem_text(ImportProblem(HOSTILE, HOSTILE, HOSTILE)).plain,
        report_text(replace(REPORT, dataset=HOSTILE), seconds=1).plain,
        stopped_text(HOSTILE, ImportProgress(added=1)).plain,
        trial_text(EndpointTrial(False, HOSTILE, HOSTILE, (step,))).plain,
        models_text([HOSTILE], HOSTILE).plain,
        recipe_detail(RecipeEntry(HOSTILE, Path("/x"), False, None, HOSTILE), HOSTILE, 40).plain,
    ]
    for words in shown:
        assert RAW.search(words.replace("\n", "")) is None, words
