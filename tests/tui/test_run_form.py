"""The new-run form: what is typed becomes a request, or an error that names the field."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.planning import RunRequest
from vqa_tui.tui.run_form import RunForm, field_problems, form_of

FORM = RunForm("stcray", "caption", "gemini")


def test_an_untouched_form_asks_for_everything_with_a_pilot() -> None:
    assert FORM.request() == RunRequest("stcray", "caption", "gemini", pilot=10)


def test_every_field_arrives() -> None:
    form = replace(
        FORM,
        name=" mine ",
        limit="1 000",
        seed="7",
        pilot="0",
        budget="$12.50",
        concurrency="64",
        max_side=" 768 ",
        hedge=True,
    )
    wanted = RunRequest(
        "stcray", "caption", "gemini", "mine", 1_000, 0, Decimal("12.50"), 64, max_side=768, hedge=True, seed=7
    )
    assert form.request() == wanted


def test_a_request_and_its_form_are_the_same_both_ways() -> None:
    whole = RunRequest(
        "stcray", "caption", "gemini", "mine", 1_000, 0, Decimal("12.50"), 64, max_side="original", hedge=True,
        model="gemini-2.5-pro", like=7, seed=42,
    )  # fmt: skip
    for request in (whole, RunRequest("stcray", "caption", "gemini")):
        assert form_of(request).request() == request


def test_every_field_says_at_once_what_is_wrong_with_it() -> None:
    form = replace(FORM, limit="many", pilot="-1", budget="1e30", concurrency="0", max_side="3", name="a b")
    assert set(field_problems(form)) == {"limit", "pilot", "budget", "concurrency", "max_side", "name"}
    assert field_problems(FORM) == {}
    assert set(field_problems(replace(FORM, seed="7"))) == {"seed"} == set(field_problems(replace(FORM, seed="x")))
    assert field_problems(replace(FORM, seed="7", limit="9")) == {}
    taken = field_problems(replace(FORM, name=" mine "), taken=frozenset({"mine"}))
    assert "already a run named mine" in str(taken["name"])
    unpriced = field_problems(replace(FORM, budget="5"), price_known=False)
    assert "price of this model is unknown" in str(unpriced["budget"])
    assert field_problems(FORM, price_known=False) == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": None}, "choose a dataset"),
        ({"recipe": ""}, "choose a recipe"),
        ({"endpoint": None}, "choose an endpoint"),
        ({"limit": "many"}, "pictures: 'many' is not a whole number"),
        ({"limit": "0"}, "pictures must be at least 1"),
        ({"limit": "-3"}, "not a whole number"),
        ({"limit": "٣"}, "not a whole number"),
        ({"limit": "9" * 30}, "not a whole number"),
        ({"pilot": "1.5"}, "pilot: '1.5'"),
        ({"concurrency": "1025"}, "from 1 to 1024"),
        ({"budget": "ten"}, "budget: 'ten'"),
        *(
            ({"budget": typed}, f"budget: '{typed}' is not an amount of dollars from 0.000001 to 1,000,000,000")
            for typed in ("0", "nan", "-1", "0.00000001", "1e30", "1_000")
        ),
        ({"max_side": "3"}, "longest px: '3'"),
        ({"max_side": "big"}, "or original"),
        ({"name": "12"}, "cannot be the name of a run"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(VqaError) as caught:
        replace(FORM, **changes).request()
    assert words in str(caught.value)
