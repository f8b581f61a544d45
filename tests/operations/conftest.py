"""Fixtures of the tests of operations."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.tui.workshop import Workshop, opened_workshop


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """A real workspace that holds nothing yet."""
    async with opened_workshop(tmp_path) as made:
        yield made
