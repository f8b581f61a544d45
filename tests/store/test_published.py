"""What an engine published, also one of another version, becomes views or is left out; it never breaks a reader."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.conftest import Builder
from vqa_tui.domain.run import EngineState, GaugeView, KeyView, Phase, TaskStatus, ThrottleView
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.store import reads, runs
from vqa_tui.store.metrics import record_metric
from vqa_tui.store.published import key_views, keys_at_rest, throttle_views
from vqa_tui.store.queue import TaskQueue

GAUGE = {"name": "requests/min", "used": 58, "limit": 60, "of_group": True, "learned": True, "resets_at": 9.5}
KEY = {"name": "a", "group": "g", "state": "cooling", "reason": "429", "until": 7.0, "in_flight": 3, "gauges": [GAUGE]}
THROTTLE = {"group": "g", "slots": 9, "per_second": 8.5, "state": "growing", "cut_at": 4.0, "cuts": 2}


def test_keys_come_with_their_gauges_and_throttles_with_their_pace() -> None:
    (key,) = key_views(json.dumps([KEY]), [])
    assert key == KeyView(
        "a", "g", "cooling", "429", 7.0, in_flight=3, gauges=(GaugeView("requests/min", 58, 60, True, True, 9.5),)
    )
    assert throttle_views(json.dumps([THROTTLE])) == (ThrottleView("g", 9, 8.5, "growing", 4.0, 2),)


def test_what_an_older_engine_left_out_is_not_there_and_breaks_nothing() -> None:
    older = {"name": "a", "group": "g", "state": "ok", "reason": "", "until": None, "in_flight": 1}
    (key,) = key_views(json.dumps([older | {"used_this_minute": 3, "requests_per_minute": 60}]), [])
    assert key == KeyView("a", "g", "ok", in_flight=1)
    assert throttle_views('[{"group": "g"}, {"group": "h", "slots": 2}]') == (ThrottleView("h", 2, None, ""),)


@pytest.mark.parametrize("broken", ["", "null", "{", "7", '[null, 3, "x", {}]'])
def test_what_cannot_be_read_is_no_key(broken: str) -> None:
    assert key_views(broken, []) == () and throttle_views(broken) == ()


async def test_keys_that_were_used_stay_when_a_run_is_taken_up_in_vain(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    queue = TaskQueue(builder.database, run_id, await builder.session(run_id))
    (task,) = await queue.claim(1, now=0, pilot_only=False)
    attempt = AttemptRecord("a", 1.0, 2.0, "server", cost_nano=5)
    await queue.settle([TaskOutcome(task.id, TaskStatus.FAILED, attempt, True, kind="server", problem="down")])
    await runs.beat(builder.database, run_id, reserved_nano=0, why_idle="", keys=[KEY])
    await builder.session(run_id)
    await runs.set_phase(builder.database, run_id, Phase.FAILED, "key a is not there")
    view = await reads.run_view(builder.database, run_id, now=2.0, flights=[])
    assert view is not None
    (key,) = view.keys
    assert (key.name, key.group, key.requests, key.errors, key.in_flight, key.state) == ("a", "g", 1, 1, 0, "")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*KEY, *GAUGE, *THROTTLE, "x"]), inner),
)


@given(anything)
def test_no_json_breaks_a_reader(document: object) -> None:
    for key in key_views(json.dumps(document), []):
        assert isinstance(key.name, str) and all(isinstance(gauge.limit, int) for gauge in key.gauges)
    names = [key.name for key in key_views(json.dumps(document), [])]
    assert set(names) <= {key.name for key in key_views(keys_at_rest(json.dumps(document)), [])}
    for throttle in throttle_views(json.dumps(document)):
        assert isinstance(throttle.slots, int)


async def test_bytes_a_second_and_the_throttle_are_those_of_this_session(builder: Builder) -> None:
    run_id = await builder.run(await builder.dataset(1))
    before, session = await builder.session(run_id), await builder.session(run_id)
    noted = [(before, 80, 7_000, 3), (session, 89, 0, 4), (session, 91, 1_000, 5), (session, 99, 9_000, 8)]
    for session_id, at, sent, slots in noted:
        await record_metric(
            builder.database, run_id, at=at, session_id=session_id, in_flight=1, slots=4, p50_ms=None, p95_ms=None,
            sent_bytes=sent, throttle_slots=slots,
        )  # fmt: skip
    await runs.beat(
        builder.database, run_id, reserved_nano=0, why_idle="", keys=[dict(KEY)], throttles=[dict(THROTTLE)]
    )
    view = await reads.run_view(builder.database, run_id, now=100.0, flights=())
    assert view is not None
    assert view.bytes_per_s == 1_000.0 and view.throttle_history == (4, 5, 8)
    assert [throttle.group for throttle in view.throttles] == ["g"]
    later = await reads.run_view(builder.database, run_id, now=200.0, flights=())
    assert later is not None and later.bytes_per_s is None
    gone = reads.with_engine(view, EngineState.LOST)
    assert gone.throttles == () and gone.bytes_per_s is None
