"""What a person changed for one picture is what is asked, estimated, set aside and recorded."""

import base64
import io
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import SecretStr

from tests.engine.conftest import MakeWorkshop, Scripted, Workshop
from tests.engine.test_asking_again import cut, made
from vqa_tui.config.recipe import Generation, PromptTemplates, Recipe, ReplyFormat
from vqa_tui.domain.changes import TaskChanges, changes_of
from vqa_tui.domain.run import Limits, TaskStatus
from vqa_tui.domain.work import ClaimedTask, Purpose
from vqa_tui.endpoints.client import Answer
from vqa_tui.engine.outcomes import deserves_longer, max_tokens_for, next_purpose

LONGER = Generation(max_tokens=100, longer_max_tokens=300)


class Measured(Scripted):
    """Remembers the sizes of the pictures that it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    async def ask(self, body: bytes, key_value: SecretStr) -> Answer:
        content = json.loads(body)["messages"][-1]["content"]
        url = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
        self.sizes.append(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).size)
        return await super().ask(body, key_value)


def measured(workshop: Workshop) -> Measured:
    client = Measured()
    workshop.bench = replace(workshop.bench, client=client)
    return client


async def test_the_changed_room_is_asked_for_set_aside_and_recorded(workshop: Workshop) -> None:
    plain = made(await workshop.outcome())
    changed = made(await workshop.outcome(replace(workshop.task(), changes=TaskChanges(max_tokens=700))))
    assert workshop.client.max_tokens == [100, 700]
    assert changed.bound_nano - plain.bound_nano == changed.reserved_nano - plain.reserved_nano == 600_000
    assert changed.expected.output_tokens == 700
    assert (plain.changes, changed.changes) == (TaskChanges(), TaskChanges(max_tokens=700))


async def test_less_room_sets_aside_less(workshop: Workshop) -> None:
    plain = made(await workshop.outcome())
    changed = made(await workshop.outcome(replace(workshop.task(), changes=TaskChanges(max_tokens=40))))
    assert workshop.client.max_tokens == [100, 40] and plain.bound_nano - changed.bound_nano == 60_000
    assert changed.expected.output_tokens == 40


@pytest.mark.parametrize(
    ("limit", "side", "sent"),
    [(None, 16, (16, 11)), (16, "original", (24, 16)), (16, 20, (20, 13)), (16, None, (16, 11))],
)
async def test_the_changed_size_wins_over_that_of_the_run(
    workshop: Workshop, limit: int | None, side: int | None, sent: tuple[int, int]
) -> None:
    client = measured(workshop)
    workshop.limits[0] = Limits(max_side=limit)
    task = replace(workshop.task(), changes=TaskChanges(max_side=side))
    assert made(await workshop.outcome(task)).changes.max_side == side
    assert client.sizes == [sent]


async def test_more_room_than_the_recipe_ever_gives_is_asked_for_at_once_and_not_again(
    make_workshop: MakeWorkshop,
) -> None:
    workshop = make_workshop(generation=LONGER)
    workshop.client.script = cut('[{"question": "What')
    task = replace(workshop.task(), changes=TaskChanges(max_tokens=500))
    first = await workshop.outcome(task)
    after = replace(task, attempts_spent=1, tried=frozenset({"ask"}), bad_reply=made(first).message, cut=True)
    second = await workshop.outcome(after)
    assert [made(each).purpose for each in (first, second)] == [Purpose.ASK, Purpose.REPAIR]
    assert workshop.client.max_tokens == [500, 500]
    last = await workshop.outcome(replace(after, attempts_spent=3, tried=frozenset({"ask", "repair"})))
    assert last.status is TaskStatus.FAILED and "it was asked with max_tokens 500" in (last.problem or "")


async def test_less_room_than_the_longer_one_leaves_that_to_be_tried_and_only_then_says_longer(
    make_workshop: MakeWorkshop,
) -> None:
    workshop = make_workshop(generation=LONGER)
    workshop.client.script = cut('[{"question": "What')
    task = replace(workshop.task(), changes=TaskChanges(200, 16))
    first = await workshop.outcome(task)
    second = await workshop.outcome(replace(task, tried=frozenset({"ask"}), bad_reply="cut", cut=True))
    assert workshop.client.max_tokens == [200, 300] and made(second).purpose is Purpose.LONGER
    assert [made(each).changes for each in (first, second)] == [TaskChanges(200, 16), TaskChanges(None, 16)]


async def test_a_changed_request_that_the_cap_cannot_take_halts_the_run_and_puts_the_task_back(
    make_workshop: MakeWorkshop,
) -> None:
    workshop = make_workshop(cap=20_000_000)
    outcome = await workshop.outcome(replace(workshop.task(), changes=TaskChanges(max_tokens=50_000)))
    assert outcome.status is TaskStatus.PENDING and outcome.attempt is None
    assert [halt.by_budget for halt in workshop.halts] == [True] and workshop.client.asked == []
    assert (await workshop.outcome()).status is TaskStatus.DONE


ROOM = st.none() | st.integers(1, 1000)
TRIED = st.frozensets(st.sampled_from(["ask", "repair", "longer"]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROOM, st.integers(1, 1000), ROOM, TRIED, st.booleans(), st.sampled_from(["", "cut off"]))
def test_whatever_was_tried_a_request_has_the_changed_room_or_the_larger_longer_one(
    workshop: Workshop, room: int | None, usual: int, longer: int | None, tried: frozenset[str], cut: bool, bad: str
) -> None:
    generation = Generation(max_tokens=usual, longer_max_tokens=longer if longer and longer > usual else None)
    recipe = Recipe(
        name="r", prompt=PromptTemplates(user="x"), reply=ReplyFormat(kind="json_pairs"), generation=generation
    )
    task = ClaimedTask(
        1, workshop.item, 0, None, None, tried=tried, bad_reply=bad, cut=cut, changes=TaskChanges(max_tokens=room)
    )
    purpose = next_purpose(task, recipe)
    most, own = max_tokens_for(task, purpose, generation), usual if room is None else room
    if purpose is Purpose.LONGER:
        assert most == generation.longer_max_tokens and most > own and "longer" not in tried
    else:
        assert most == own
    if deserves_longer(task, purpose, recipe, max_attempts=4):
        assert generation.longer_max_tokens is not None and generation.longer_max_tokens > own


@given(st.none() | st.integers(1, 10**6), st.none() | st.integers(16, 10**5) | st.just("original"))
def test_changes_are_stored_in_one_form_and_read_as_they_were(tokens: int | None, side: int | None) -> None:
    changes = TaskChanges(tokens, side)
    assert changes_of(changes.as_json()) == changes and bool(changes) is (changes.as_json() != "{}")
    assert (tokens is None) is ("max_tokens" not in changes.in_words)
