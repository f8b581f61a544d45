"""Endpoints tried in processes of their own: the answers, what bounds them, and that no process stays behind."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.endpoint_facts import endpoint_facts
from vqa_tui.operations.endpoint_trial import offered_models, try_endpoint
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.process.answer import CommandAnswer, NoAnswer, command_answer

KEYED = """\
name: keyed
base_url: https://models.example.com/v1
model: gpt-4o-mini
keys: [{name: a, env: VQA_TEST_KEY_A}, {name: b, env: VQA_TEST_KEY_B}]
quota: {requests_per_minute: 30}
"""
HALF = "name: half\nkind: embedded\nmodel: vqa-embedded-1\nkeys: [{name: a}, {name: b}]\nembedded: {bad_keys: [b]}\n"


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    (tmp_path / "endpoints").mkdir()
    (tmp_path / "endpoints" / "keyed.yaml").write_text(KEYED)
    (tmp_path / "endpoints" / "half.yaml").write_text(HALF)
    (tmp_path / "endpoints" / "-dash.yaml").write_text("name: x\n")
    async with open_workspace(tmp_path) as opened:
        yield opened


async def test_an_endpoint_is_asked_for_real_and_its_model_can_be_another(workspace: Workspace) -> None:
    trial = await try_endpoint(workspace, "embedded", model="vqa-embedded-1")
    assert trial.ok and trial.model == "vqa-embedded-1" and trial.address.startswith("http://127.0.0.1:")
    assert {step.name for step in trial.steps} >= {"address", "model", "usage"} and all(s.ok for s in trial.steps)
    assert "vqa-embedded-1" in await offered_models(workspace, "embedded")


async def test_keys_without_a_value_are_told_and_nothing_is_asked(workspace: Workspace) -> None:
    trial = await try_endpoint(workspace, "keyed")
    assert not trial.ok and [step.name for step in trial.steps] == ["key", "key"]
    assert "VQA_TEST_KEY_A is not set" in trial.steps[0].detail
    with pytest.raises(VqaError, match="no key of the endpoint keyed has a value"):
        await offered_models(workspace, "keyed")


async def test_a_key_that_is_refused_is_a_finding_and_no_error(workspace: Workspace) -> None:
    trial = await try_endpoint(workspace, "half")
    assert not trial.ok and {(step.key, step.name) for step in trial.steps} >= {("", "address"), ("a", "usage")}
    (refused,) = [step for step in trial.steps if not step.ok]
    assert (refused.name, refused.key) == ("authorised", "b") and refused.advice


@pytest.mark.parametrize(
    ("name", "words"), [("keyd", "did you mean keyed?"), ("-dash", "this key is required"), ("--help", "no endpoint")]
)
async def test_an_endpoint_that_cannot_be_loaded_is_refused_in_the_commands_own_words(
    workspace: Workspace, name: str, words: str
) -> None:
    for asking in (try_endpoint, offered_models):
        with pytest.raises(VqaError) as caught:
            await asking(workspace, name)
        assert words in str(caught.value) and not str(caught.value).startswith("Error")
        assert name != "keyd" or "Known endpoints" in (caught.value.hint or "")


@pytest.mark.parametrize("said", [b"", b"null", b"{}", b'{"ok": true}', b'[{"id": 1}]', b"Traceback"])
async def test_what_cannot_be_read_is_said_in_words(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    async def strange(*_arguments: object, **_bounds: object) -> CommandAnswer:
        return CommandAnswer(1, said, b"Traceback (most recent call last):\n  secret")

    monkeypatch.setattr("vqa_tui.operations.endpoint_trial.command_answer", strange)
    with pytest.raises(VqaError) as caught:
        await try_endpoint(workspace, "keyed")
    assert "cannot be read" in caught.value.message and "Traceback" not in str(caught.value)


def test_facts_tell_keys_by_name_and_never_their_value(workspace: Workspace) -> None:
    facts = endpoint_facts(workspace, "keyed", environ={"VQA_TEST_KEY_B": "sk-planted-secret-value-123"})
    assert [(key.name, key.variable, bool(key.missing)) for key in facts.keys] == [
        ("a", "VQA_TEST_KEY_A", True),
        ("b", "VQA_TEST_KEY_B", False),
    ]
    assert "planted" not in repr(facts)
    assert facts.prices is not None and facts.prices_listed
    other = endpoint_facts(workspace, "keyed", model="unheard-of", environ={})
    assert (other.model, other.model_in_file, other.prices) == ("unheard-of", "gpt-4o-mini", None)


def sleeping(folder: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> Path:
    """Let the child be a program that notes its process id and then does as told."""
    pid = folder / "pid"
    script = folder / "child.sh"
    script.write_text(f"#!/bin/sh\necho $$ > {pid}\n{program}\n")
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    return pid


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_command_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = sleeping(tmp_path, monkeypatch, "exec sleep 300")
    with pytest.raises(NoAnswer, match="within 1 s"):
        await command_answer([], within_s=1.0, most_bytes=1_000)
    assert not is_alive(int(pid.read_text()))


async def test_a_command_that_says_too_much_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = sleeping(tmp_path, monkeypatch, f"exec {sys.executable} -c \"while True: print('x' * 1000)\"")
    for _ in range(12):  # whether its pipe is full as it is killed is chance
        with pytest.raises(NoAnswer, match="more than 5,000 bytes"):
            await command_answer([], within_s=60.0, most_bytes=5_000)
        assert not is_alive(int(pid.read_text()))


async def test_a_cancelled_command_leaves_no_process_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = sleeping(tmp_path, monkeypatch, "exec sleep 300")
    asking = asyncio.create_task(command_answer([], within_s=60.0, most_bytes=1_000))
    while not (pid.exists() and pid.read_text().strip()):  # noqa: ASYNC110 - the child tells nobody
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert not is_alive(int(pid.read_text()))
