"""Pictures of items: what is looked at, boxes over it, how it is drawn, and what a person sees of all that."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from textual.pilot import Pilot

from tests.tui.test_hostile_text import HOSTILE, RAW, check, visits
from tests.tui.workshop import DONE, Fate, Workshop
from vqa_tui.domain.item import Box
from vqa_tui.domain.reply_parts import ReplyForm
from vqa_tui.domain.run import TaskStatus
from vqa_tui.domain.sample import Pair
from vqa_tui.tui import picture_mode
from vqa_tui.tui.app import VqaApp
from vqa_tui.tui.picture_mode import PictureMode, choose_mode, make_ready, next_mode
from vqa_tui.tui.picture_view import Mark, View, draw_boxes, marks_of, placed_in, seen_part
from vqa_tui.tui.present.inspect import marked_reply
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.item import ItemScreen
from vqa_tui.tui.screens.items import ItemsScreen
from vqa_tui.tui.widgets.attempt_list import AttemptList
from vqa_tui.tui.widgets.half_blocks import half_block_strips
from vqa_tui.tui.widgets.inspector import Inspector
from vqa_tui.tui.widgets.picture import Picture

Wait = Callable[..., Any]
Text = Callable[[Any], str]
SIZES = [(80, 24), (200, 50)]


@pytest.mark.parametrize(
    ("setting", "environ", "mode"),
    [
        ("auto", {}, "halfblock"),
        ("auto", {"TERM": "xterm-kitty"}, "kitty"),
        ("auto", {"KITTY_WINDOW_ID": "1"}, "kitty"),
        ("auto", {"TERM": "foot"}, "sixel"),
        ("auto", {"TERM_PROGRAM": "WezTerm"}, "sixel"),
        ("auto", {"KITTY_WINDOW_ID": "1", "TMUX": "/tmp/tmux-0"}, "halfblock"),
        ("auto", {"TERM": "screen-256color"}, "halfblock"),
        ("kitty", {"TMUX": "x"}, "kitty"),
        ("none", {"TERM": "xterm-kitty"}, "none"),
        ("kitty", {"VQA_PICTURES": "sixel"}, "sixel"),
        ("sixel", {"VQA_PICTURES": "auto", "TMUX": "x"}, "halfblock"),
        ("sixel", {"VQA_PICTURES": "colour"}, "sixel"),
        ("colour", {}, "halfblock"),
    ],
)
def test_the_mode_follows_setting_and_terminal(setting: str, environ: dict[str, str], mode: str) -> None:
    assert choose_mode(setting, environ) == PictureMode(mode)


def test_without_the_extra_half_blocks_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("vqa_tui.tui.picture_mode.importlib.import_module", missing)
    assert make_ready(PictureMode.SIXEL) is PictureMode.HALFBLOCK
    assert make_ready(PictureMode.NONE) is PictureMode.NONE


def test_modes_go_round() -> None:
    assert next_mode(PictureMode.HALFBLOCK, PictureMode.HALFBLOCK) is PictureMode.NONE
    assert next_mode(PictureMode.NONE, PictureMode.KITTY) is PictureMode.HALFBLOCK
    assert next_mode(PictureMode.SIXEL, PictureMode.HALFBLOCK) is PictureMode.HALFBLOCK


@given(st.lists(st.tuples(st.sampled_from([1.5, 1 / 1.5]), st.floats(-3, 3), st.floats(-3, 3)), max_size=30))
def test_a_view_never_leaves_the_picture(steps: list[tuple[float, float, float]]) -> None:
    view = View()
    for by, right, down in steps:
        view = view.zoomed(by).panned(right, down)
        left, top, right_edge, bottom = view.region
        assert -1e-9 <= left < right_edge <= 1 + 1e-9 and -1e-9 <= top < bottom <= 1 + 1e-9
        assert seen_part(Image.new("RGB", (33, 17)), view, (5, 4)).size == (5, 4)


def test_boxes_are_shares_of_the_picture_and_stay_in_it() -> None:
    boxes = [
        Box(label="Knife", x=10, y=20, width=30, height=40),
        Box(label="out", x=500, y=0, width=10, height=10),
        Box(label="back", x=50, y=50, width=-20, height=-20),
        Box(label="[/nope]\x1b[2J", x=-50, y=-50, width=1_000, height=1_000),
    ]
    marks = marks_of(boxes, 100, 100)
    assert [(m.label, m.left, m.top, m.right, m.bottom) for m in marks] == [
        ("Knife", 0.1, 0.2, 0.4, 0.6),
        ("back", 0.3, 0.3, 0.5, 0.5),
        ("[/nope]", 0.0, 0.0, 1.0, 1.0),
    ]
    assert marks_of(boxes, 0, 100) == ()


def test_a_box_is_drawn_where_it_is_seen() -> None:
    mark = Mark("Knife", 0.25, 0.25, 0.75, 0.75)
    image = Image.new("RGB", (40, 40))
    draw_boxes(image, [mark], View())
    assert image.getpixel((10, 29)) == image.getpixel((29, 29)) == mark.colour
    assert image.getpixel((20, 20)) == (0, 0, 0) and image.getpixel((5, 5)) == (0, 0, 0)
    draw_boxes(image, [mark], View(), labels=True)
    assert image.getpixel((11, 11)) == mark.colour, "the ground of the label"
    near = View().zoomed(4).panned(-9, -9)
    assert placed_in(Mark("far", 0.9, 0.9, 1.0, 1.0), near, (40, 40)) is None
    assert placed_in(mark, near, (40, 40)) == (40, 40, 119, 119) or placed_in(mark, near, (40, 40)) is None


def test_labels_stand_as_text_over_half_blocks_and_never_over_each_other() -> None:
    marks = [Mark("Knife", 0.0, 0.0, 0.5, 0.5), Mark("Scissors", 0.0, 0.0, 0.6, 0.6), Mark("刀", 0.9, 0.9, 1.0, 1.0)]
    strips = half_block_strips(Image.new("RGB", (60, 60)), 30, 15, View(), marks)
    lines = [strip.text for strip in strips]
    assert lines[0].startswith("Knife▀") and lines[1].startswith("Scissors▀") and "刀" in "".join(lines)
    assert {strip.cell_length for strip in strips} == {30}


def test_a_reply_is_shown_with_what_was_read_of_it() -> None:
    shown = marked_reply('Sure: [{"question": "Q\x1b[31m?", "answer": "A[/nope]"}]', ReplyForm())
    assert shown.plain == 'what was read stands out\nSure: [{"question": "Q?", "answer": "A[/nope]"}]'
    bold = {shown.plain[span.start : span.end] for span in shown.spans if "bold" in str(span.style)}
    assert "A[/nope]" in bold
    assert marked_reply("no", ReplyForm()).plain.startswith("nothing was read from it")


@given(st.text(max_size=200))
def test_no_reply_reaches_the_terminal_raw(reply: str) -> None:
    for form in (ReplyForm(), ReplyForm("text")):
        shown = marked_reply(f'{reply}[{{"question": "q", "answer": "{reply}"}}]', form).plain
        assert RAW.search(shown.replace("\n", "")) is None


async def show_item(app: VqaApp, pilot: "Pilot[None]", until: Wait, screen_text: Text) -> Inspector:
    await until(pilot, lambda: app.watch_over.last_run is not None)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and len(app.screen.tasks.ids) > 0)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ItemScreen) and "▀▀▀" in screen_text(app))
    return app.screen.query_one(Inspector)


@pytest.mark.parametrize("size", SIZES)
async def test_zoom_pan_boxes_and_mode(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    await workshop.dataset(2)
    run_id = await workshop.run([DONE])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size, notifications=True) as pilot:
        inspector = await show_item(app, pilot, until, screen_text)
        picture = inspector.query_one(Picture)
        await until(pilot, lambda: "Battery▀" in screen_text(app))
        await pilot.press("b")
        await until(pilot, lambda: "Battery▀" not in screen_text(app))
        await pilot.press("b")
        small = picture.size.height
        await pilot.press("plus")
        await until(pilot, lambda: picture.size.height > small and picture.view == View())
        await pilot.press("plus", "plus")
        await until(pilot, lambda: picture.view.zoom == pytest.approx(2.25))
        before = picture.view
        await pilot.press("H")
        assert picture.view.x < before.x and picture.view.y == before.y
        await pilot.press("right", "J", "up")
        assert picture.view == before
        await pilot.press("j")
        await until(pilot, lambda: picture.view == View() and not picture.enlarged)
        await pilot.press("k", "plus", "plus", "minus", "minus")
        await until(pilot, lambda: picture.view == View() and not picture.enlarged)
        await until(pilot, lambda: "▀▀▀" in screen_text(app))
        await pilot.press("m")
        await until(pilot, lambda: "▀▀▀" not in screen_text(app) and "Pictures: none" in screen_text(app))
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen) and "1 pair" in screen_text(app))
        assert "▀▀▀" not in screen_text(app), "the choice holds for every screen of items"
        await pilot.press("m")
        await until(pilot, lambda: "▀▀▀" in screen_text(app))


async def test_a_picture_that_breaks_between_two_looks_is_a_sentence(
    workshop: Workshop, until: Wait, screen_text: Text
) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([DONE])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        inspector = await show_item(app, pilot, until, screen_text)
        assert inspector.detail is not None
        await asyncio.to_thread(Path(inspector.detail.picture).write_bytes, b"not a picture any more")
        await pilot.press("plus")
        await until(pilot, lambda: "the picture cannot be shown" in " ".join(screen_text(app).split()))
        assert isinstance(app.screen, ItemScreen)


async def test_the_terminal_draws_the_picture_where_it_can(
    workshop: Workshop, until: Wait, screen_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    from textual_image.widget import HalfcellImage

    monkeypatch.setitem(picture_mode._widgets, PictureMode.SIXEL, HalfcellImage)
    monkeypatch.setenv("VQA_PICTURES", "sixel")
    await workshop.dataset(1)
    run_id = await workshop.run([DONE])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        inspector = await show_item(app, pilot, until, screen_text)
        native = inspector.query_one(HalfcellImage)
        await until(pilot, lambda: native.image is not None and native.size.width > 10)
        whole = native.image
        await pilot.press("plus", "plus")
        await until(pilot, lambda: native.image is not whole)
        await pilot.press("m")
        await until(pilot, lambda: "Pictures: half blocks" in screen_text(app) and not inspector.query(HalfcellImage))
        await pilot.press("m", "m")
        await until(pilot, lambda: "Pictures: sixel" in screen_text(app))


@pytest.mark.parametrize("size", SIZES)
@visits(FullText, ItemScreen, ItemsScreen)
async def test_hostile_text_of_every_kind(
    workshop: Workshop, until: Wait, screen_text: Text, size: tuple[int, int]
) -> None:
    words = HOSTILE.replace("\ud800", "")
    await workshop.dataset(3)
    hostile = Fate(
        pairs=(Pair(words, words, words),), reply=f'[{{"question": "{words}", "answer": "x"}}]', key_name=words,
        problem=words, finish_reason=words,
    )  # fmt: skip
    run_id = await workshop.run([hostile, Fate(TaskStatus.FAILED, (), "server", words, words, words)])
    async with workshop.workspace.db.write() as transaction:
        await transaction.execute(
            "UPDATE item SET split = ?1, truth = json_set(truth, '$.categories[0]', ?1, '$.boxes[0].label', ?1)",
            (words,),
        )
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=size, notifications=True) as pilot:
        inspector = await show_item(app, pilot, until, screen_text)
        await pilot.press("plus")
        await pilot.pause()
        check(app, screen_text)
        for y in range(0, int(inspector.max_scroll_y) + 20, 15):
            inspector.scroll_to(y=y, animate=False, immediate=True)
            await pilot.pause()
            check(app, screen_text)
        inspector.query_one(AttemptList).focus()
        await pilot.press("enter")
        await pilot.pause()
        check(app, screen_text)
        await pilot.press("escape", "escape", "slash", *"category", "colon")
        await until(pilot, lambda: "[/nope]" in screen_text(app))
        check(app, screen_text)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "×]" in screen_text(app))
        check(app, screen_text)
        await pilot.press("slash", *"nofield", "colon", "x", "enter")
        await pilot.pause()
        check(app, screen_text)


async def test_a_sixel_picture_never_ends_on_the_line_above_the_last(workshop: Workshop, until: Wait) -> None:
    await workshop.dataset(1)
    run_id = await workshop.run([DONE])
    app = VqaApp(workshop.services, open_run=run_id)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.watch_over.last_run is not None)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ItemsScreen) and app.screen.tasks.ids)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ItemScreen) and app.screen.inspector.picture.image)
        inspector = app.screen.query_one(Inspector)
        for mode, last in ((PictureMode.SIXEL, 22), (PictureMode.HALFBLOCK, 23)):
            inspector.set_pictures(mode, boxes=True)
            await until(pilot, lambda last=last: inspector.region.bottom == last)
