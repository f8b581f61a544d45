"""The 21 categories of STCray (20 threats and `Non Threat`), and the spellings in which its files name them."""

import re

CATEGORIES = (
    "Explosive", "Gun", "3D Printed Gun", "Knife", "Cutter", "Blade", "Shaving Razor", "Lighter", "Syringe", "Battery",
    "Nail Cutter", "Other Sharp Items", "Powerbank", "Scissors", "Hammer", "Pliers", "Wrench", "Screwdriver",
    "Handcuffs", "Bullet",
)  # fmt: skip
"""The threats as the paper writes them (STING-BEE, arXiv 2504.02823); a clean scan has none of them."""

_OTHERWISE = {
    "3d gun": "3D Printed Gun", "injection": "Syringe", "other sharp item": "Other Sharp Items",
    "power bank": "Powerbank", "screw driver": "Screwdriver", "handcuff": "Handcuffs", "hand cuffs": "Handcuffs",
    "razor": "Shaving Razor", "plier": "Pliers", "scissor": "Scissors",
}  # fmt: skip
_CATEGORY = {name.lower(): name for name in CATEGORIES} | _OTHERWISE
_CLEAN = frozenset({"non threat", "nonthreat"})
_SEVERAL = frozenset({"multilabel threat", "multi label threat"})


def category_of(label: str) -> str:
    """Return the category that a label spells, whatever its case and whether words are joined by `_` or `-`.

    A label that is no spelling of a category is returned as it is: datasets of the same form have labels of their own.
    """
    return _CATEGORY.get(_words(label), label)


def says_clean(label: str) -> bool:
    """Return whether a label says that there is no threat."""
    return _words(label) in _CLEAN


def says_several(label: str) -> bool:
    """Return whether a label says that there are several threats, and not which."""
    return _words(label) in _SEVERAL


def _words(label: str) -> str:
    return re.sub(r"[\s_-]+", " ", label).strip().lower()
