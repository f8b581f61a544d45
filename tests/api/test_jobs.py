"""The jobs API: what is asked for is done as the command line does it, and what cannot be is said in words."""

import asyncio
import fcntl
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError

from tests.api.conftest import JOBS, TOKEN, Api, served
from tests.api.seed import SEED
from tests.api.stand_in import ACTIONS, EVENTS
from vqa_tui.api.actions import Actions
from vqa_tui.api.job_request import Job, JobRequest
from vqa_tui.api.openapi import document
from vqa_tui.domain.failure import WorkFailed
from vqa_tui.domain.training import TrainingPhase
from vqa_tui.domain.training_events import Event, Stepped, event_line, events
from vqa_tui.operations import training_start
from vqa_tui.operations.training_start import StartedTraining
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.store import trainings


async def test_model_gardens_example_becomes_a_training(api: Api, tmp_path: Path) -> None:
    answer = await api.post(**SEED)
    assert (answer.status, answer.headers["Location"]) == (201, f"{JOBS}/1")
    assert answer.json["data"] == {"rows": 9, "held_out": 1, "left_out": 0, "problems": []}
    frozen = await trainings.frozen_training(api.workspace.db, 1)
    config = json.loads(frozen.config)
    wanted = {
        "name": "my-vision-model", "model": "Qwen/Qwen2.5-VL-3B-Instruct", "modality": "vision", "epochs": 3.0,
        "max_steps": None, "batch_size": 1, "gradient_accumulation": 8, "learning_rate": 2e-5,
        "output": str(tmp_path / "models" / "my-vision-model"),
    }  # fmt: skip
    assert {key: config[key] for key in wanted} == wanted
    assert (config["lora"]["r"], config["lora"]["alpha"]) == (16, 16)
    assert json.loads(frozen.data)["data"] == str(tmp_path / "data" / "vision_dataset.jsonl")


async def test_the_example_of_the_document_is_model_gardens() -> None:
    body = document()["paths"][JOBS]["post"]["requestBody"]["content"]["application/json"]
    assert body["example"] == SEED


async def test_a_configuration_by_name_with_a_run_and_keys_on_top(api: Api) -> None:
    answer = await api.post(config="train_tiny", run="vqa", accepted=True, hyperparameters={"max_steps": 5})
    assert answer.status == 201
    frozen = await trainings.frozen_training(api.workspace.db, 1)
    config = json.loads(frozen.config)
    assert (config["model"], config["modality"], config["max_steps"]) == ("tiny", "vision", 5)
    assert json.loads(frozen.data) == {"data": "None", "run": "vqa", "accepted": True}


@pytest.mark.parametrize(
    "named", ["private.yaml", "private.YML", "./private.yaml", "../private", "/etc/passwd", "secret"]
)
async def test_a_configuration_is_no_path(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Else what stands in a file where the server was started would be told in the answer."""
    monkeypatch.chdir(tmp_path)
    for name in ("private.yaml", "private.YML"):
        (tmp_path / name).write_text("password: planted\n")
    (tmp_path / "secret").touch()
    answer = await api.post(config=named, run="vqa")
    assert answer.status == 422 and "config" in answer.message
    assert "planted" not in answer.text and "password" not in answer.text
    assert "is not taken for a configuration" not in answer.text, "so it is there"


async def test_a_job_takes_no_number_for_its_name(api: Api) -> None:
    answer = await api.post(config="train_tiny", run="vqa", name="5")
    assert answer.status == 422 and "name: must not be digits alone" in answer.message


async def test_a_job_is_listed_shown_and_deleted(api: Api) -> None:
    number = await api.made()
    (listed,) = (await api.ask("GET", JOBS)).json["jobs"]
    assert (listed["id"], listed["phase"], listed["is_lost"]) == (number, "done", False)
    shown = (await api.ask("GET", f"{JOBS}/{number}")).json
    assert (shown["last_step"]["rows"], shown["last_eval"]["loss"]) == ([2, 3], 2.75)
    deleted = await api.ask("DELETE", f"{JOBS}/{number}")
    assert (deleted.status, deleted.text) == (204, "")
    assert (await api.ask("GET", f"{JOBS}/{number}")).status == 404
    assert not api.workspace.paths.training_folder(number).exists()


@pytest.mark.parametrize("verb", ["stop", "cancel", "resume"])
async def test_what_its_state_does_not_allow_is_409(api: Api, verb: str) -> None:
    number = await api.made()
    answer = await api.ask("POST", f"{JOBS}/{number}/{verb}")
    assert answer.status == 409 and "done" in answer.message
    assert (await api.ask("POST", f"{JOBS}/77/{verb}")).status == 404


@pytest.mark.parametrize(("verb", "wish"), [("stop", "stop"), ("cancel", "cancel")])
async def test_one_that_is_at_work_hears_it_and_cannot_be_deleted(api: Api, verb: str, wish: str) -> None:
    number = await api.made()
    await trainings.report_phase(api.workspace.db, number, TrainingPhase.TRAINING)
    paths = api.workspace.paths
    with paths.training_lock(number).open() as lock, paths.training_supervisor_lock(number).open("w") as over_it:
        for held in (lock, over_it):
            fcntl.flock(held, fcntl.LOCK_EX)
        answer = await api.ask("POST", f"{JOBS}/{number}/{verb}")
        assert (answer.status, answer.json["wish"]) == (202, wish)
        kept = await api.ask("DELETE", f"{JOBS}/{number}")
    assert kept.status == 409 and "at work" in kept.message


async def test_streams_hold_everything_and_end_with_the_training(api: Api) -> None:
    number = await api.made()
    told = await api.ask("GET", f"{JOBS}/{number}/metrics")
    assert told.headers["Content-Type"] == "application/x-ndjson"
    assert tuple(events(told.text.splitlines())) == EVENTS
    log = await api.ask("GET", f"{JOBS}/{number}/log")
    assert log.text == "step 1\n10%\n20%\nstep 2 \ufffd\nno end"
    assert log.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_streams_follow_until_the_end(api: Api) -> None:
    number = await api.made()
    folder = api.workspace.paths.training_folder(number)
    lock = (folder / "lock").open()
    fcntl.flock(lock, fcntl.LOCK_EX)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    path = f"{api.address}{JOBS}/{number}"
    more = Stepped(9.0, 3, 1.5, 1.25, 0.01, None, 0.5, 4, (5,))
    async with (
        api.session.get(f"{path}/metrics", headers=headers) as metrics,
        api.session.get(f"{path}/log", headers=headers) as log,
    ):
        for _ in EVENTS:
            await metrics.content.readline()
        with (folder / "metrics.jsonl").open("a") as file:
            line = event_line(more)
            file.write(line[:20])
            file.flush()
            file.write(f"{line[20:]}\n")
        assert tuple(events([(await metrics.content.readline()).decode()])) == (more,)
        assert await log.content.readline() == b"step 1\n"
        with (folder / "log").open("ab") as file:
            file.write(b" yet\nlast")
        lock.close()
        assert await metrics.content.read() == b""
        assert (await log.content.read()).decode().endswith("no end yet\nlast")


async def test_without_follow_a_stream_ends_with_what_is_there(api: Api) -> None:
    number = await api.made()
    with api.workspace.paths.training_lock(number).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in ("metrics", "log"):
            async with asyncio.timeout(30):
                assert (await api.ask("GET", f"{JOBS}/{number}/{name}?follow=false")).status == 200
    slip = await api.ask("GET", f"{JOBS}/{number}/log?folow=false")
    assert slip.status == 422 and "Did you mean `follow`?" in slip.json["error"]["hint"]
    assert (await api.ask("GET", f"{JOBS}/{number}/log?follow=no")).status == 422


async def test_a_reader_that_leaves_holds_up_nothing(tmp_path: Path) -> None:
    async with asyncio.timeout(30), served(tmp_path) as api:
        number = await api.made()
        lock = api.workspace.paths.training_lock(number).open()
        fcntl.flock(lock, fcntl.LOCK_EX)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with api.session.get(f"{api.address}{JOBS}/{number}/metrics", headers=headers) as metrics:
            await metrics.content.readline()
    lock.close()


async def test_a_start_goes_to_its_end_when_the_client_leaves(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(workspace: Workspace, request: JobRequest, job: Job) -> StartedTraining:
        begun.set()
        await go_on.wait()
        return await ACTIONS.start(workspace, request, job)

    async with asyncio.timeout(60), open_workspace(tmp_path) as workspace:
        async with served(tmp_path, actions=Actions(slowly)) as api:
            asking = asyncio.create_task(api.made())
            await begun.wait()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            go_on.set()
        # The server has ended, and with it whatever it had begun.
        assert [each.name for each in await trainings.training_summaries(workspace.db, workspace.paths)] == ["bags"]


async def test_a_stream_that_breaks_is_cut_and_not_ended(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    number = await api.made()
    with (api.workspace.paths.training_folder(number) / "metrics.jsonl").open("a") as file:
        file.write(event_line(EVENTS[3]).replace("2.75", "NaN") + "\n")
    with pytest.raises(ClientError):
        await api.ask("GET", f"{JOBS}/{number}/metrics")
    assert "a stream was cut" in caplog.text


async def test_a_model_that_is_a_folder_here_is_named_by_its_whole_path(api: Api, tmp_path: Path) -> None:
    (tmp_path / "models" / "base").mkdir(parents=True)
    for number, named in enumerate(("models/base", "./models/base", "x" * 290)):
        await api.made(name=f"m{number}", base_model=named)
    config = [json.loads((await trainings.frozen_training(api.workspace.db, n)).config)["model"] for n in (1, 2, 3)]
    assert config == [str(tmp_path / "models" / "base")] * 2 + ["x" * 290]


@pytest.mark.parametrize(
    ("keys", "status", "words"),
    [
        ({"base_modle": "tiny"}, 422, "base_modle: unknown key, did you mean `base_model`?"),
        ({"hyperparameters": {"learningrate": 1}}, 422, "hyperparameters.learningrate: unknown key, did you mean"),
        ({"hyperparameters": {"max_steps": 0}}, 422, "must be at least 1, or -1"),
        ({"hyperparameters": {"batch_size": "4"}}, 422, "hyperparameters.batch_size: "),
        ({"lora_config": {"r": 0}}, 422, "lora_config.r: must be at least 1"),
        ({"name": "../x"}, 422, "name: must match"),
        ({"name": None}, 422, "name: this key is required"),
        ({"dataset_path": None}, 422, "dataset_path: this key is required"),
        ({"run": "vqa"}, 422, "dataset_path and run both"),
        ({"accepted": True}, 422, "accepted: "),
        ({"is_vision": True, "model_type": "text"}, 422, "cannot both be"),
        ({"config": "train_tniy"}, 422, "did you mean train_tiny"),
        ({"config": "../train.yaml"}, 422, "config: must match"),
        ({"base_model": " tiny"}, 422, "model: must be a name or a path"),
        ({"base_model": "../../tiny"}, 422, "leads out of"),
        ({"base_model": "a/../../../tiny"}, 422, "leads out of"),
        ({"dataset_path": "/etc/passwd"}, 422, "leads out of"),
        ({"dataset_path": "~/x.jsonl"}, 422, "leads out of"),
        ({"dataset_path": "a\0b"}, 422, "without control characters"),
        ({"output_dir": "../out"}, 422, "leads out of"),
        ({"output_dir": ".vqa/trainings"}, 422, "where the workspace itself lies"),
        ({"output_dir": "."}, 422, "where the workspace itself lies"),
    ],
)
async def test_what_cannot_be_is_said(api: Api, keys: dict[str, Any], status: int, words: str) -> None:
    answer = await api.post(**{"name": "bags", "base_model": "tiny", "dataset_path": "data.jsonl", **keys})
    assert (answer.status, words in answer.message) == (status, True), answer.text
    assert (await api.ask("GET", JOBS)).json == {"jobs": []}


async def test_a_link_does_not_lead_out(api: Api, tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to("/etc")
    answer = await api.post(name="bags", base_model="tiny", dataset_path="door/passwd")
    assert answer.status == 422 and "leads out of" in answer.message


async def test_outside_only_where_it_is_allowed(tmp_path: Path) -> None:
    async with served(tmp_path / "inner", allow_outside=True) as api:
        number = await api.made(dataset_path="../data.jsonl", output_dir=str(tmp_path / "out"))
        frozen = await trainings.frozen_training(api.workspace.db, number)
    assert json.loads(frozen.data)["data"] == str(tmp_path / "data.jsonl")


async def test_a_name_that_is_taken_is_409(api: Api) -> None:
    await api.made(name="bags")
    answer = await api.post(name="bags", base_model="tiny", dataset_path="data.jsonl")
    assert answer.status == 409 and "bags" in answer.message


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b'{"name": "a", "name": "b"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "application/x-www-form-urlencoded", 415),
        (b'"' + b"x" * 300_000 + b'"', "application/json", 413),
    ],
    ids=str,
)
async def test_bodies_that_are_none(api: Api, body: bytes, kind: str, status: int) -> None:
    answer = await api.ask("POST", JOBS, data=body, headers={"Content-Type": kind})
    assert (answer.status, bool(answer.message)) == (status, True)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", f"{JOBS}/x", 404),
        ("GET", f"{JOBS}/-1", 404),
        ("GET", f"{JOBS}/{'9' * 18}", 404),
        ("GET", f"{JOBS}/{'9' * 40}", 404),
        ("GET", f"{JOBS}/%2e%2e%2fvqa.db", 404),
        ("GET", f"{JOBS}/1%00", 404),
        ("GET", f"{JOBS}/5/log", 404),
        ("PUT", JOBS, 405),
        ("DELETE", JOBS, 405),
    ],
)
async def test_addresses_that_are_none(api: Api, method: str, path: str, status: int) -> None:
    answer = await api.ask(method, path)
    assert (answer.status, bool(answer.message)) == (status, True)
    assert ("Allow" in answer.headers) == (status == 405)


async def test_without_the_training_packages_it_is_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vqa_tui.operations.training_packages.find_spec", lambda name: None)
    (tmp_path / "data.jsonl").write_text("{}\n")
    async with served(tmp_path, actions=Actions()) as api:
        answer = await api.post(name="bags", base_model="tiny", dataset_path="data.jsonl")
    assert answer.status == 503 and "torch" in answer.message


async def test_a_disk_that_is_full_is_503_and_a_fault_of_ours_500(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(workspace: Workspace, number: int) -> None:
        raise OSError(28, "No space left on device")

    async def broken(workspace: Workspace, number: int) -> None:
        raise KeyError("secret detail")

    async def later(workspace: Workspace, number: int) -> None:
        raise WorkFailed("the network is gone")

    actions = Actions(ACTIONS.start, stop=full, cancel=broken, resume=later)
    async with served(tmp_path, actions=actions) as api:
        number = await api.made()
        disk, fault, failed = [await api.ask("POST", f"{JOBS}/{number}/{v}") for v in ("stop", "cancel", "resume")]
    assert (disk.status, fault.status, failed.status) == (503, 500, 503)
    assert "No space left" in disk.message and "secret detail" not in fault.text
    assert "secret detail" in caplog.text and TOKEN not in caplog.text


async def test_the_operations_are_those_of_the_command_line() -> None:
    actions = Actions()
    assert actions.stop is training_start.stop_training and actions.delete is training_start.delete_training


async def test_an_export_that_is_not_there_is_422_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    async with served(tmp_path, actions=Actions()) as api:
        answer = await api.post(name="bags", base_model="tiny", dataset_path="data.jsonl")
        assert answer.status == 422 and "there is no file" in answer.message
        assert (await api.ask("GET", JOBS)).json == {"jobs": []}


def test_every_event_is_one_of_the_documents() -> None:
    """The shapes of the detail are taken from the events; a new kind must be looked at."""
    assert {kind.__name__ for kind in Event.__args__} <= set(document()["components"]["schemas"])
