"""The JSON schema of replies: sent where the endpoint takes one, left out for good where it refuses one."""

import pytest

from tests.engine.conftest import MakeWorkshop, answers, fails
from vqa_tui.config.recipe import ReplyFormat
from vqa_tui.domain.failure import FailureKind
from vqa_tui.domain.run import TaskStatus

OBJECT = ReplyFormat.model_validate(
    {"kind": "json_object", "question": "New?", "keys": {"novelty": {"type": "integer"}}, "enforce_schema": True}
)
REFUSED = "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."


async def test_a_refused_schema_is_left_out_and_costs_no_attempt(make_workshop: MakeWorkshop) -> None:
    workshop = make_workshop(reply=OBJECT, json_schema=True)
    workshop.client.script = fails(FailureKind.REJECTED, 400, message=REFUSED)
    first = await workshop.outcome()
    assert first.status is TaskStatus.PENDING and not first.spends_attempt and first.kind is None
    assert first.attempt is not None and first.attempt.kind == FailureKind.REJECTED
    assert len(workshop.told) == 1 and "takes no JSON schema" in workshop.told[0] and not workshop.halts
    workshop.client.script = answers('{"novelty": 3}')
    second = await workshop.outcome()
    assert second.status is TaskStatus.DONE and [pair.answer for pair in second.pairs] == ['{"novelty":3}']
    with_schema, without = workshop.client.formats
    assert isinstance(with_schema, dict) and with_schema["type"] == "json_schema" and without is None


@pytest.mark.parametrize(("status", "message"), [(400, "the picture is too large"), (500, REFUSED)])
async def test_other_failures_leave_the_schema_in(make_workshop: MakeWorkshop, status: int, message: str) -> None:
    workshop = make_workshop(reply=OBJECT, json_schema=True)
    kind = FailureKind.REJECTED if status == 400 else FailureKind.SERVER
    workshop.client.script = fails(kind, status, message=message)
    await workshop.outcome()
    await workshop.outcome()
    assert None not in workshop.client.formats and not workshop.told


async def test_without_the_flag_of_the_endpoint_none_is_sent(make_workshop: MakeWorkshop) -> None:
    workshop = make_workshop(reply=OBJECT)
    workshop.client.script = fails(FailureKind.REJECTED, 400, message=REFUSED)
    assert (await workshop.outcome()).status is TaskStatus.FAILED
    assert workshop.client.formats == [None]
