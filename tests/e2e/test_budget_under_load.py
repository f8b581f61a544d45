"""The cap with a real engine at 64 in flight and replies of random size: never passed, told in time, raised at work."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web

from tests.e2e.conftest import Stage
from tests.e2e.loopback import DOLLAR_A_MILLION, caption_reply, listening, own_endpoint
from vqa_tui.domain.run import Phase, RunView
from vqa_tui.operations.limits import set_limits
from vqa_tui.operations.planning import RunRequest
from vqa_tui.operations.runs import resume_run, stop_run

PICTURES = 400
MOST_INPUT = 300
"""Tokens; far below the estimate of a small picture and its prompt."""


class Biller:
    """Answers after a moment with a usage report of random size, up to max_tokens, and keeps its own books."""

    def __init__(self) -> None:
        self.base_url = ""
        self.chance = random.Random(3)
        self.billed = 0
        """Tokens; a million of them cost a dollar."""
        self.answered = 0
        self.at_once = 0
        self.most_at_once = 0

    async def answer(self, request: web.Request) -> web.Response:
        most = json.loads(await request.read())["max_tokens"]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        # How long a model thinks, so that requests overlap; no test waits for it.
        await asyncio.sleep(self.chance.uniform(0.05, 0.2))
        self.at_once -= 1
        used = self.chance.randint(1, MOST_INPUT), self.chance.randint(1, most)
        self.billed += sum(used)
        self.answered += 1
        return caption_reply(*used)


@pytest.fixture
async def biller() -> AsyncIterator[Biller]:
    made = Biller()
    async with listening(made.answer) as port:
        made.base_url = f"http://127.0.0.1:{port}/v1"
        yield made


def warnings_of_the_cap(view: RunView) -> list[str]:
    return [event.message for event in view.events if event.message.startswith("80% of the budget")]


async def test_64_in_flight_with_random_replies_stay_within_the_cap_and_a_raised_one_goes_on(
    stage: Stage, biller: Biller
) -> None:
    cap = Decimal("0.08")
    path = own_endpoint(stage.folder, biller.base_url, prices=DOLLAR_A_MILLION)
    dataset = await stage.pictures(PICTURES)
    run_id = await stage.run(
        RunRequest(dataset, "caption", path, pilot=0, budget_usd=cap, concurrency=64, name="capped")
    )

    def paused(view: RunView) -> bool:
        # The provider's own books, at every look: what it bills is within the cap although it answers at random.
        assert biller.billed <= cap * 10**6
        assert view.cost.spent + view.cost.uncertain <= cap
        return view.phase is Phase.PAUSED

    view = await stage.until(run_id, paused)
    assert f"the budget of ${cap} is reached" in view.phase_reason and view.counts.pending > 0
    assert view.cost.spent == Decimal(biller.billed) / 10**6 and view.cost.reserved == view.cost.uncertain == 0
    assert biller.most_at_once > 16
    (warning,) = warnings_of_the_cap(view)
    assert warning.startswith(f"80% of the budget of ${cap} is used: $0.0") and "the run pauses" in warning

    # Another engine neither forgets what was spent nor says it again.
    await stop_run(stage.workspace, run_id)
    await stage.until_ended(run_id)
    answered = biller.answered
    await resume_run(stage.workspace, run_id)
    view = await stage.until(run_id, paused)
    assert len(warnings_of_the_cap(view)) == 1 and biller.answered <= answered + 1

    await set_limits(stage.workspace, run_id, {"budget": "5"})
    view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done) == (Phase.DONE, PICTURES) and len(warnings_of_the_cap(view)) == 1
    assert view.cost.spent == Decimal(biller.billed) / 10**6
