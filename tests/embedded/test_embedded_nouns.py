"""Labels in sentences: article, plural, and which of `is` and `are` follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.embedded.nouns import a, be, counted, plural, several, the, verb


@pytest.mark.parametrize(
    ("label", "one", "two", "subject"),
    [
        ("Knife", "a Knife", "two Knives", "the Knife is"),
        ("Battery", "a Battery", "two Batteries", "the Battery is"),
        ("Scissors", "a pair of Scissors", "two pairs of Scissors", "the Scissors are"),
        ("Pliers", "a pair of Pliers", "two pairs of Pliers", "the Pliers are"),
        ("Handcuffs", "a pair of Handcuffs", "two pairs of Handcuffs", "the Handcuffs are"),
        ("keys", "a set of keys", "two sets of keys", "the keys are"),
        ("knives", "a set of knives", "two sets of knives", "the knives are"),
        ("people", "a set of people", "two sets of people", "the people are"),
        ("broccoli", "a piece of broccoli", "two pieces of broccoli", "the broccoli is"),
        ("person", "a person", "two people", "the person is"),
        ("sheep", "a sheep", "two sheep", "the sheep is"),
        ("bowl", "a bowl", "two bowls", "the bowl is"),
        ("bus", "a bus", "two buses", "the bus is"),
        ("wine glass", "a wine glass", "two wine glasses", "the wine glass is"),
        ("umbrella", "an umbrella", "two umbrellas", "the umbrella is"),
        ("USB stick", "a USB stick", "two USB sticks", "the USB stick is"),
        ("oven", "an oven", "two ovens", "the oven is"),
        ("Knife (small)", "a Knife (small)", "two Knife (smalls)", "the Knife (small) is"),
        ("123", "a 123", "two 123 items", "the 123 is"),
    ],
)
def test_one_two_and_the_verb(label: str, one: str, two: str, subject: str) -> None:
    assert a(label) == several(label, 1) == one
    assert several(label, 2) == two
    assert f"{the(label, 1)} {be(label, 1)}" == subject
    assert f"{the(label, 2)} {be(label, 2)}" == f"the {plural(label)} are"


def test_verbs_and_numbers_follow() -> None:
    assert verb("Knife", 1, "lie") == "lies" and verb("Scissors", 1, "lie") == verb("Knife", 2, "lie") == "lie"
    assert counted("Knife", 1) == "one Knife" and counted("Scissors", 1) == "one pair of Scissors"
    assert counted("Knife", 12) == "twelve Knives" and counted("Knife", 13) == "13 Knives"


@given(st.text(min_size=1))
def test_any_label_has_a_plural_of_its_own(label: str) -> None:
    assert a(label).endswith(label)
    assert plural(label)
