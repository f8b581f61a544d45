"""Which faults there are, how they are written, and which request gets one."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.config.faults import Fault
from vqa_tui.domain.failure import VqaError
from vqa_tui.embedded.faults import FaultDice, parse_faults

SHARES = st.dictionaries(st.sampled_from(list(Fault)), st.floats(0, 0.125))


def test_faults_are_read() -> None:
    assert parse_faults("500=0.05, reset=0.02,bad_json = 1e-2,") == {"500": 0.05, "reset": 0.02, "bad_json": 0.01}
    assert parse_faults(" ") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rest=0.1", "unknown fault 'rest'"),
        ("500", "not KIND=SHARE"),
        ("500=lots", "share of 500 is 'lots'"),
        ("500=1.5", "share of 500 is 1.5"),
        ("500=-0.1", "share of 500 is -0.1"),
        ("500=nan", "share of 500 is nan"),
        ("500=0.1,500=0.2", "given twice"),
        ("500=0.6,reset=0.6", "add up to 1.2"),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(VqaError, match=said):
        parse_faults(text)


def test_an_unknown_fault_names_the_nearest_and_all_known() -> None:
    with pytest.raises(VqaError) as refused:
        parse_faults("badjson=0.1")
    assert "Did you mean bad_json?" in refused.value.message
    assert all(fault.value in refused.value.message for fault in Fault)


@given(SHARES)
def test_written_shares_are_read_back(shares: dict[Fault, float]) -> None:
    text = ",".join(f"{fault.value}={share!r}" for fault, share in shares.items())
    assert parse_faults(text) == {fault.value: share for fault, share in shares.items()}


@given(st.text())
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        shares = parse_faults(text)
    except VqaError as refused:
        assert refused.message.startswith("--fail: ") and refused.hint
    else:
        assert set(shares) <= set(Fault)


@given(SHARES, st.integers())
def test_the_same_seed_draws_the_same_faults(shares: dict[Fault, float], seed: int) -> None:
    named = {fault.value: share for fault, share in shares.items()}
    one, other = FaultDice(named, seed), FaultDice(dict(reversed(named.items())), seed)
    assert [one.draw() for _ in range(50)] == [other.draw() for _ in range(50)]


def test_shares_are_kept_in_the_long_run() -> None:
    dice = FaultDice({"500": 0.1, "reset": 0.05, "empty": 0.0}, seed=3)
    drawn = Counter(dice.draw() for _ in range(20_000))
    assert drawn[Fault.INTERNAL] / 20_000 == pytest.approx(0.1, abs=0.01)
    assert drawn[Fault.RESET] / 20_000 == pytest.approx(0.05, abs=0.01)
    assert set(drawn) == {None, Fault.INTERNAL, Fault.RESET}


def test_a_share_of_one_is_always() -> None:
    dice = FaultDice({"timeout": 1.0}, seed=0)
    assert {dice.draw() for _ in range(100)} == {Fault.TIMEOUT}
