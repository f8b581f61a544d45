"""A failed request lets go of what it held at once, and not with the next garbage collection: bodies are large."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from tests.engine.conftest import Workshop
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.run import TaskStatus
from vqa_tui.endpoints.client import Answer, AskFailed


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_a_failed_request_is_freed_without_a_garbage_collection(workshop: Workshop, no_collection: None) -> None:
    failures: list[weakref.ref[AskFailed]] = []

    def failure() -> AskFailed:
        error = AskFailed(Failure(FailureKind.SERVER, "it failed"), http_status=500)
        failures.append(weakref.ref(error))
        return error

    async def fail() -> Answer:
        raise failure()

    workshop.client.script = fail
    outcome = await workshop.outcome()
    assert outcome.status is TaskStatus.PENDING
    assert [kept() for kept in failures] == [None]
