"""A log as a terminal would show it: progress bars, colours, pieces cut anywhere, a hundred thousand lines."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tui.test_hostile_text import ESSENCE, HOSTILE, RAW
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.log_text import LONGEST, MOST_LINES, LogText


def lines_of(*pieces: str) -> list[str]:
    log = LogText()
    for piece in pieces:
        log.feed(piece.encode("utf-8", "surrogatepass"))
    return [line.text for line in log.lines]


def test_a_progress_bar_is_drawn_over_itself() -> None:
    assert lines_of("a\n 10 %\r 50 %\r100 %\nb\r\nc\r") == ["a", "100 %", "b", "c"]
    assert lines_of("") == [] and lines_of("\n\nx") == ["", "", "x"]


def test_what_is_longer_stays_behind_what_is_written_over_it() -> None:
    assert lines_of("abcdef\rXY\n") == ["XYcdef"]
    assert lines_of("abcdef\r\x1b[KXY\n") == ["XY"]


def test_a_progress_bar_goes_on_from_piece_to_piece() -> None:
    log = LogText()
    for percent in range(101):
        log.feed(f"\r{percent:3d} %".encode())
        assert [line.text for line in log.lines] == [f"{percent:3d} %"]
    log.feed(b"\ndone\n")
    assert [line.text for line in log.lines] == ["100 %", "done"]


def test_colours_are_those_of_the_theme() -> None:
    log = LogText()
    log.feed(b"\x1b[31merror:\x1b[0m plain \x1b[1;32mgood\x1b[m \x1b[38;5;200mx\x1b[0m\n")
    (line,) = log.lines
    assert line.text == "error: plain good x"
    assert line.styles == ((0, 6, "$text-error"), (13, 17, "bold $text-success"))
    assert line.content().plain == line.text


def test_colours_survive_a_progress_bar_that_is_shorter_than_what_stood_there() -> None:
    log = LogText()
    log.feed(b"\x1b[31mabcdef\x1b[0m\rXY\n")
    (line,) = log.lines
    assert (line.text, line.styles) == ("XYcdef", ((2, 6, "$text-error"),))


@pytest.mark.parametrize("cut", range(1, 30))
def test_it_does_not_matter_where_a_piece_is_cut(cut: int) -> None:
    whole = "\x1b[31mré\x1b[0m\x1b]0;t\x07d 漢字\r\x1b[2Kok\nnext".encode()
    log = LogText()
    log.feed(whole[:cut])
    log.feed(whole[cut:])
    assert [line.text for line in log.lines] == ["ok", "next"]


def test_hostile_text_is_shown_as_text() -> None:
    log = LogText()
    log.feed(f"{HOSTILE}\n{HOSTILE}".encode("utf-8", "replace"))
    assert all(RAW.search(line.text) is None and len(line.text) <= LONGEST for line in log.lines)
    assert log.lines[0].text.startswith(ESSENCE)


@example("\x1b]")
@given(st.text(st.sampled_from("ab \x1b[]m0;3147\x07\x9b\x9c\x90P\\\u202eK"), max_size=60))
def test_a_line_is_what_the_one_door_for_foreign_text_makes_of_it(text: str) -> None:
    (shown, *_) = lines_of(text + "\n")
    assert RAW.search(shown) is None
    if "m" not in text and "K" not in text:
        assert shown == clean(text)
    letters = iter(text)
    assert all(letter in letters for letter in shown)


def test_a_line_without_end_is_cut() -> None:
    log = LogText()
    for _ in range(50):
        log.feed(b"x" * 1_000)
    assert len(log.lines) == 1 and len(log.lines[0].text) == LONGEST


def test_the_oldest_of_very_many_lines_are_let_go() -> None:
    log = LogText()
    log.feed("".join(f"step {n}\n" for n in range(MOST_LINES + 20_000)).encode())
    assert log.lines[-1].text == f"step {MOST_LINES + 19_999}" and len(log.lines) == MOST_LINES
    assert log.dropped == 20_000 and log.lines[0].text == "step 20000"


def test_words_are_found_forward_backward_and_round_the_end() -> None:
    log = LogText()
    log.feed(b"Loss 1\nother\nloss 2\n")
    assert log.find("LOSS", 1, 1) == 2 and log.find("loss", 1, -1) == 0
    assert log.find("loss", 3, 1) == 0 and log.find("nothing", 0, 1) is None
