"""A run whose key is an access token of Google Cloud: the engine has new ones made, and none is written anywhere."""

from pathlib import Path

import pytest
import yaml
from aiohttp import web

from tests.e2e.conftest import Stage
from tests.e2e.loopback import caption_reply, listening
from tests.google_stand_in import token_service
from vqa_tui.domain.run import Phase
from vqa_tui.operations.catalog import check_endpoint
from vqa_tui.operations.planning import RunRequest


def endpoint_file(stage: Stage, port: int) -> str:
    path = stage.folder / "cloud.yaml"
    fields = {
        "name": "cloud",
        "base_url": f"http://127.0.0.1:{port}/v1",
        "model": "google/some-model",
        "keys": [{"name": "main", "token": "google"}],
        "prices": {"input_per_million": "1", "output_per_million": "1"},
        "concurrency": 2,
    }
    path.write_text(yaml.safe_dump(fields))
    return str(path)


def holding(words: bytes, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


async def test_tokens_are_made_anew_while_a_run_works(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        seen.append(request.headers["Authorization"].removeprefix("Bearer "))
        if seen[-1] not in tokens.given:
            return web.json_response({"error": {"message": f"no such token: {seen[-1]}"}}, status=401)
        return caption_reply()

    dataset = await stage.pictures(12)
    with token_service() as tokens:
        tokens.lasts_s = 120  # Shorter than google-auth's margin: every request wants another.
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tokens.credentials_file(stage.folder)))
        async with listening(answer) as port:
            endpoint = endpoint_file(stage, port)
            assert (await check_endpoint(stage.workspace, endpoint)).ok
            run_id = await stage.run(RunRequest(dataset, "caption", endpoint, pilot=0))
            view = await stage.until_ended(run_id)
    assert (view.phase, view.counts.done, view.counts.failed) == (Phase.DONE, 12, 0)
    assert len(set(seen)) >= 12
    assert holding(b"token-of-the-stand-in", stage.workspace.paths.root) == []


async def test_a_refused_account_pauses_the_run_and_says_why(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return caption_reply()

    dataset = await stage.pictures(3)
    with token_service() as tokens:
        tokens.status = 400
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tokens.credentials_file(stage.folder)))
        async with listening(answer) as port:
            endpoint = endpoint_file(stage, port)
            report = await check_endpoint(stage.workspace, endpoint)
            run_id = await stage.run(RunRequest(dataset, "caption", endpoint, pilot=0))
            view = await stage.until_phase(run_id, Phase.PAUSED)
    assert not report.ok and "Account has been deleted" in report.steps[0].detail
    assert view.counts.failed == 0 and "Account has been deleted" in view.phase_reason and asked == []
