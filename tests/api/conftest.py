"""A served workspace, and asking it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.api.stand_in import ACTIONS
from vqa_tui.api.server import api_server
from vqa_tui.operations.workspace import Workspace, open_workspace

TOKEN = "token-of-the-tests-0123456789"
JOBS = "/api/v1/training/jobs"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def message(self) -> str:
        """The words of an error, which has the one shape that errors have."""
        error = self.json["error"]
        assert set(error) == {"message", "hint"}
        assert "Traceback" not in self.text
        return str(error["message"])


@dataclass(frozen=True)
class Api:
    """The API of a workspace, asked with its token unless a test gives another."""

    workspace: Workspace
    address: str
    session: ClientSession

    async def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        sent = {"Authorization": f"Bearer {TOKEN}", **(headers or {})}
        async with self.session.request(method, self.address + path, headers=sent, **more) as response:
            return Answer(response.status, await response.text(), dict(response.headers))

    async def post(self, **keys: Any) -> Answer:
        """Ask for a training with these keys."""
        return await self.ask("POST", JOBS, json=keys)

    async def made(self, **keys: Any) -> int:
        """Make a training that must be accepted; return its id."""
        answer = await self.post(**{"name": "bags", "base_model": "tiny", "dataset_path": "data.jsonl", **keys})
        assert answer.status == 201, answer.text
        return int(answer.json["id"])


@asynccontextmanager
async def served(folder: Path, **options: Any) -> AsyncIterator[Api]:
    """Serve a new workspace in `folder` whose trainings start no process."""
    async with (
        open_workspace(folder) as workspace,
        api_server(workspace, TOKEN, host="127.0.0.1", port=0, **{"actions": ACTIONS, **options}) as address,
        ClientSession() as session,
    ):
        yield Api(workspace, address, session)


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with served(tmp_path) as made:
        yield made
