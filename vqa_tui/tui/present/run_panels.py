"""The text of the dashboard's panels; each function fills the width and height that it is given."""

from collections.abc import Callable
from decimal import Decimal

from textual.content import Content

from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import CostView, EngineState, Phase, RunView
from vqa_tui.tui.present import bars
from vqa_tui.tui.present.load import projection_words, ratio_words, sent_words, usable_throttles
from vqa_tui.tui.present.numbers import UNKNOWN, compact, count, milliseconds, money, rate, share
from vqa_tui.tui.present.phases import BAD, QUIET, WARN, kind_words

PanelText = Callable[[RunView, int, int], Content]
"""(view, width in cells, height in lines) -> text."""

_WAITING_KINDS = {FailureKind.RATE_LIMITED.value, FailureKind.QUOTA_EXHAUSTED.value}


def throughput(view: RunView, width: int, height: int) -> Content:
    """Return the rate with its history, latencies and the slots in use; more height gives a taller plot."""
    now = rate(view.rate.per_second) if at_work(view) else UNKNOWN
    latency = Content.assemble(
        ("p50 ", QUIET), milliseconds(view.latency.p50_ms), ("  p95 ", QUIET), milliseconds(view.latency.p95_ms)
    )
    slots = _slots(view, width)
    if sent := sent_words(view.bytes_per_s):
        latency = _joined(latency, Content.assemble(("↑ ", QUIET), sent), width)
    if height < 5:
        plot_width = max(width - len(now) - 2, 0)
        plot = bars.sparkline(view.rate.history, plot_width)
        first = Content.assemble((plot[0] if plot else "", "$primary"), "  " if plot else "", (now, "bold"))
        return _lines([first, latency, slots], height)
    peak = max(view.rate.history, default=0.0)
    head = Content.assemble((now, "bold"), (f"   peak {rate(peak)}", QUIET) if peak else "")
    together = Content.assemble(latency, "   ", slots)
    tail = [together] if together.cell_length <= width else [latency, slots]
    tail += _throttle_history(view, width)
    plot = bars.sparkline(view.rate.history, width, height - 1 - len(tail))
    rows = [Content.styled(row, f"$primary {100 - 60 * y // len(plot)}%") for y, row in enumerate(plot)]
    return _lines([head, *rows, *tail], height)


def _slots(view: RunView, width: int) -> Content:
    """What is in flight, of what the throttles let into flight, of what a person allows."""
    asking, most = count(len(view.in_flight)), view.limits.concurrency
    plain = Content.assemble(("in flight ", QUIET), asking, (" of ", QUIET), count(most))
    throttles = usable_throttles(view)
    allowed = sum(throttle.slots for throttle in throttles)
    if not throttles or allowed >= most:
        return plain
    for words in (f", {count(most)} allowed", f" (of {count(most)})"):
        held = Content.assemble(("in flight ", QUIET), asking, (" of ", QUIET), count(allowed), (words, QUIET))
        if held.cell_length <= width:
            return held
    return plain


def _throttle_history(view: RunView, width: int) -> list[Content]:
    """How many slots the throttles allowed, as a line of its own; none where that never changed."""
    history = view.throttle_history
    if len(set(history)) < 2 or not view.throttles:
        return []
    words = f" {count(min(history))}…{count(max(history))}"
    (plot,) = bars.sparkline(history, max(width - len("slots ") - len(words), 0)) or ("",)
    return [Content.assemble(("slots ", QUIET), (plot, "$secondary"), (words, QUIET))]


def at_work(view: RunView) -> bool:
    """Return whether the last rate is that of now; a run that rests or lost its engine has none."""
    return view.engine.state is EngineState.ALIVE and view.phase in (Phase.PILOT, Phase.RUNNING, Phase.PAUSING)


def cost(view: RunView, width: int, height: int) -> Content:
    """Return what was spent, what one picture costs, what the run will cost, and how much of the cap is used."""
    money_view, lines = view.cost, []
    if not money_view.price_known:
        lines = [
            Content.styled("price unknown", WARN),
            Content.styled("a budget cannot be held", QUIET),
        ]
    else:
        spent = money(money_view.spent)
        lines.append(
            Content.assemble(
                (spent, "bold"),
                (per_picture(money_view.spent, view.counts.done, width - len(spent), unit=view.unit), QUIET),
            )
        )
        lines.append(_projected(money_view, width))
        cap = money_view.cap if money_view.cap is not None else view.limits.budget_usd
        lines.append(_cap_line(money_view.spent, money_view.reserved, cap, width))
        if money_view.uncertain:
            uncertain = Content.assemble(("uncertain ", QUIET), (money(money_view.uncertain), WARN))
            lines.insert(2 if height > 3 else 3, uncertain)
        if money_view.reserved:
            lines.append(Content.assemble(("reserved ", QUIET), money(money_view.reserved)))
    tokens = view.tokens
    if tokens.input or tokens.output:
        lines.append(
            Content.assemble(
                ("tokens ", QUIET), compact(tokens.input), (" in  ", QUIET), compact(tokens.output), (" out", QUIET)
            )
        )
    if (known := view.calibration) is not None:
        off = Content.assemble(
            ("billed/estimate ", QUIET), ("in ", QUIET), ratio_words(known.billed_input, known.estimated_input),
            ("  out ", QUIET), ratio_words(known.billed_output, known.expected_output),
        )  # fmt: skip
        lines.append(off)
    if view.samples:
        lines.append(Content.assemble(("pairs ", QUIET), count(view.samples)))
    if height <= 3 and money_view.price_known and money_view.uncertain:
        lines[1] = _joined(lines[1], Content.styled(f"? {money(money_view.uncertain)}", WARN), width)
    return _lines(lines, height)


def _projected(money_view: CostView, width: int) -> Content:
    """What the whole will cost, with its band where that fits."""
    words = projection_words(money_view)
    for title in ("projected ", "proj. "):
        if len(title) + len(words) <= width:
            return Content.assemble((title, QUIET), words)
    return Content.assemble(("projected ", QUIET), money(money_view.projected))


def _joined(left: Content, right: Content, width: int) -> Content:
    both = Content.assemble(left, "  ", right)
    return both if both.cell_length <= width else left


def per_picture(spent: Decimal, done: int, room: int, *, unit: str = "picture") -> str:
    """What one finished picture, or other `unit`, cost, in `room` cells; those that failed are paid for by those that
    did not."""
    if not done or not spent:
        return ""
    each = money(spent / done)
    return next((text for word in (unit, f"{unit[:3]}.") if len(text := f"  {each}/{word}") <= room), "")


def _cap_line(spent: Decimal, reserved: Decimal, cap: Decimal | None, width: int) -> Content:
    if cap is None:
        return Content.styled("no cap  b sets one", QUIET)
    used = spent + reserved
    style = "$error" if used >= cap else "$warning" if used * 10 >= cap * 8 else "$success"
    words = Content.assemble(("cap ", QUIET), money(cap), " ")
    percent = share(float(used), float(cap))
    gauge_width = min(width - words.cell_length - len(percent) - 1, 24)
    if gauge_width < 3:
        return Content.assemble(words, percent)
    return Content.assemble(words, bars.gauge(float(used), float(cap), gauge_width, style=style), " ", percent)


def failures(view: RunView, width: int, height: int) -> Content:
    """Return what failed for good and what only had to wait or was asked again, each by kind and in words.

    A kind has one row where the words fit; else those that failed for good come first and the others in rows below.
    """
    if not any(view.failures.values()) and not any(view.attempt_failures.values()):
        return Content.styled("none", QUIET)
    rows = _joined_failures(view)
    name_width = min(max(len(name) for name, _ in rows), 18)
    room = width - name_width - 2
    if any(sum(len(_piece(*piece)) for piece in pieces) + 2 * len(pieces) - 2 > room for _, pieces in rows):
        apart = [(name, piece) for name, pieces in rows for piece in pieces]
        apart.sort(key=lambda row: (row[1][1] != BAD, row[1][2][-1] == "again", -row[1][0], row[0]))
        rows = [(name, [piece]) for name, piece in apart]
    if len(rows) > height > 1:
        hidden = rows[height - 1 :]
        number = sum(piece[0] for _, pieces in hidden for piece in pieces)
        rows = [*rows[: height - 1], (f"{len(hidden)} more", [(number, QUIET, ("",))])]
    if rows[0][1][0][1] == BAD:
        rows[0][1].append((0, QUIET, ("f look",)))
    number_width = max(len(count(pieces[0][0])) for _, pieces in rows)
    return _lines([_failure_line(name, pieces, name_width, number_width, width) for name, pieces in rows], height)


_Piece = tuple[int, str, tuple[str, ...]]
"""(number, style, words from long to short); number 0 shows the words alone."""


def _joined_failures(view: RunView) -> list[tuple[str, list[_Piece]]]:
    """One row a kind: those that lost pictures first, then those that wait, then those asked again."""
    again = "waiting, not lost" if at_work(view) else "waited, not lost"
    rows: list[tuple[tuple[int, int, str], str, list[_Piece]]] = []
    for kind in {**view.failures, **view.attempt_failures}:
        final = view.failures.get(kind, 0)
        passing = view.attempt_failures.get(kind, 0) - final
        waiting = kind in _WAITING_KINDS
        pieces: list[_Piece] = [(final, BAD, ("failed",))] if final > 0 else []
        if passing > 0:
            pieces.append((passing, WARN, (again, again.split(",")[0]) if waiting else ("asked again", "again")))
        if pieces:
            order = (0 if final > 0 else 1 if waiting else 2, -pieces[0][0], kind)
            rows.append((order, kind_words(kind), pieces))
    return [(name, pieces) for _, name, pieces in sorted(rows, key=lambda row: row[0])]


def _piece(number: int, _style: str, words: tuple[str, ...]) -> str:
    return f"{count(number)} {words[-1]}"


def _failure_line(name: str, pieces: list[_Piece], name_width: int, number_width: int, width: int) -> Content:
    """One row: each piece with the longest words that leave room for the shortest of those after it."""
    line = Content.assemble(Content(name).truncate(name_width, ellipsis=True, pad=True), "  ")
    for position, (number, style, words) in enumerate(pieces):
        shown = count(number).rjust(number_width if position == 0 else 0) if number else ""
        after = sum(len(_piece(*piece)) + 2 for piece in pieces[position + 1 :] if piece[0])
        room = width - line.cell_length - len(shown) - after - (2 if position else 0)
        fitting = next((text for text in words if text and len(text) + 1 <= room), "")
        if not shown and not fitting:
            continue
        glue = "" if not position else "  " if not number else ", "
        line = Content.assemble(
            line, (glue, QUIET), (shown, style), (f" {fitting}" if shown and fitting else fitting, QUIET)
        )
    return line


def _lines(lines: list[Content], height: int) -> Content:
    return Content("\n").join(lines[: max(height, 1)])
