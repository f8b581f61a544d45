"""A tuned model served on loopback: registered as an endpoint, found again, ended; with a stand-in for the server."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.process.conftest import Hall, until
from vqa_tui.config.load import load_endpoint
from vqa_tui.config.training import Lora, TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training_exit import FULL_DISK
from vqa_tui.operations import training_serve
from vqa_tui.operations.training_serve import serve_training, served_training, stop_serving
from vqa_tui.operations.training_start import delete_training
from vqa_tui.paths import device_lock
from vqa_tui.process import serving
from vqa_tui.process.devices import take
from vqa_tui.process.lock import ProcessLock, is_locked
from vqa_tui.process.process_group import group_lives
from vqa_tui.store import trainings

_STAND_IN = """
import http.server, json, os, pathlib, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
pathlib.Path("seen.json").write_text(json.dumps([sys.argv[1:], sorted(os.environ)]))
if "broken" in sys.argv[1]:
    sys.exit("no such model")
http.server.HTTPServer((sys.argv[2], int(sys.argv[3])), Handler).serve_forever()
"""

_STARTER = """
import asyncio, pathlib, sys
from vqa_tui.paths import device_lock
from vqa_tui.process import serving
from vqa_tui.process.devices import take
from vqa_tui.process.lock import ProcessLock, is_locked
place, state = pathlib.Path(sys.argv[1]), sys.argv[2]
command = [sys.executable, "-S", "-c", "import signal; signal.pause()"]
wanted = serving.Wanted(serving.free_port(), "transformers", "base", "mine")
async def start():
    async with ProcessLock(place / "lock") as lock:
        if state == "merging":
            await serving.run_to_end(command, place, lock, wanted)
        else:
            await serving.start_server(command, place, lock, wanted, patience_s=600)
asyncio.run(start())
"""


@pytest.fixture(autouse=True)
def a_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(program: str, model: str, port: int, more: Sequence[str] = ()) -> list[str]:
        return [sys.executable, "-S", "-P", "-c", _STAND_IN, model, serving.HOST, str(port), program, *more]

    monkeypatch.setattr(serving, "server_command", command)
    monkeypatch.setattr(training_serve, "_require_installed", lambda _program: None)


async def trained(hall: Hall, name: str = "Bags 1", **settings: object) -> tuple[int, Path]:
    """A training that has left a whole model (it trained all weights), or an adapter where `settings` say so."""
    config = TrainingConfig.model_validate({"name": "x", "model": "base", "lora": None, **settings})
    number = await trainings.create_training(
        hall.workspace.db, name=name, config=config.model_dump_json(), data="{}", device="cpu", priority=0
    )
    folder = hall.folder(number)
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "adapter_config.json").touch()
    return number, folder


async def test_served_it_is_an_endpoint_until_it_is_stopped(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "planted")
    number, folder = await trained(hall)
    served = await serve_training(hall.workspace, number, program="transformers")
    try:
        assert served.base_url.startswith("http://127.0.0.1:") and served.endpoint == "bags-1"
        endpoint = load_endpoint("bags-1", folders=hall.workspace.endpoint_folders)
        assert (endpoint.base_url, endpoint.model) == (served.base_url, str(folder / "adapter"))
        assert endpoint.is_near and endpoint.keys[0].env is None
        found = served_training(hall.workspace, number)
        assert found is not None and found.base_url == served.base_url
        seen = (folder / "serving" / "seen.json").read_text()
        assert "127.0.0.1" in seen and "GEMINI_API_KEY" not in seen
        with pytest.raises(VqaError, match="is being served already"):
            await serve_training(hall.workspace, number, program="transformers")
        with pytest.raises(VqaError, match="is being served"):
            await delete_training(hall.workspace, number)
    finally:
        await stop_serving(hall.workspace, number)
    assert served_training(hall.workspace, number) is None
    assert not group_lives(found.pid)
    with pytest.raises(VqaError, match="is not being served"):
        await stop_serving(hall.workspace, number)
    await delete_training(hall.workspace, number)
    assert served.file.exists(), "runs that were made with it name it"


async def test_a_server_that_does_not_come_up_says_why(hall: Hall) -> None:
    number, folder = await trained(hall, "broken", model="broken", lora=Lora().model_dump())
    with pytest.raises(VqaError) as raised:
        await serve_training(hall.workspace, number, program="vllm")
    # vLLM is given the base model; the stand-in refuses that name.
    assert "the server ended (exit 1)" in str(raised.value) and "no such model" in raised.value.hint
    assert served_training(hall.workspace, number) is None
    assert not (hall.workspace.endpoint_folders[0] / "broken.yaml").exists()
    assert (folder / "serving" / "log").read_text().startswith("$ ")


@pytest.mark.parametrize("state", ["starting", "merging"])
async def test_one_whose_starter_was_killed_before_it_answered_can_be_ended(hall: Hall, state: str) -> None:
    number, folder = await trained(hall)
    place = folder / "serving"
    place.mkdir()
    (place / "state.json").write_text('{"pid": 1}')
    starter = await asyncio.create_subprocess_exec(sys.executable, "-P", "-c", _STARTER, str(place), state)
    try:
        await until(lambda: served_training(hall.workspace, number) is not None)
        begun = served_training(hall.workspace, number)
        assert begun is not None and begun.state == state
    finally:
        starter.send_signal(signal.SIGKILL)
        await starter.wait()
    found = served_training(hall.workspace, number)
    assert found is not None and (found.state, found.endpoint) == ("failed", "mine") and group_lives(found.pid)
    with pytest.raises(VqaError, match="whose starter was gone before it answered") as raised:
        await serve_training(hall.workspace, number, program="transformers")
    assert "--stop" in raised.value.hint
    assert await stop_serving(hall.workspace, number) == found
    assert not group_lives(found.pid) and not (place / "state.json").exists()


async def test_a_server_whose_number_may_be_anothers_is_named(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    number, folder = await trained(hall)
    with monkeypatch.context() as blind:
        blind.setattr(serving, "start_ticks", lambda _pid: 0)
        await serve_training(hall.workspace, number, program="transformers")
    found = served_training(hall.workspace, number)
    assert found is not None
    try:
        with pytest.raises(VqaError, match="does not end") as raised:
            await stop_serving(hall.workspace, number)
        assert f"kill {found.pid}" in raised.value.hint and group_lives(found.pid)
        assert served_training(hall.workspace, number) == found
    finally:
        await serving.abandon_server(found.pid, folder / "serving")


@pytest.mark.parametrize(("rank", "room"), [(1, 1), (8, 8), (9, 16), (257, 320), (321, 512), (512, 512)])
async def test_vllm_takes_the_adapter_beside_the_base_model(hall: Hall, rank: int, room: int) -> None:
    """It makes room for certain ranks alone, so for the next one above."""
    number, folder = await trained(hall, "a", lora={"r": rank})
    served = await serve_training(hall.workspace, number, program="vllm", endpoint="mine")
    await stop_serving(hall.workspace, number)
    assert served.model == served.endpoint == "mine"
    assert list(served.command[-5:]) == [
        "--enable-lora", "--max-lora-rank", str(room), "--lora-modules", f"mine={folder / 'adapter'}",
    ]  # fmt: skip
    assert load_endpoint("mine", folders=hall.workspace.endpoint_folders).concurrency == 32


async def test_the_merged_model_is_made_where_it_is_absent_or_old(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    number, folder = await trained(hall, "a", lora={"r": 8})
    merged = folder / "merged" / "config.json"
    made: list[str] = []

    async def merge(command: Sequence[str], _folder: Path, _lock: ProcessLock, _wanted: serving.Wanted) -> int:
        made.append(command[-1])
        merged.parent.mkdir(exist_ok=True)
        merged.touch()
        return 0

    monkeypatch.setattr(serving, "run_to_end", merge)
    for _ in range(2):
        served = await serve_training(hall.workspace, number, program="transformers")
        await stop_serving(hall.workspace, number)
        assert served.model == str(folder / "merged")
    assert made == [str(folder / "config.json")]
    os.utime(merged, (1, 1))
    await serve_training(hall.workspace, number, program="transformers")
    await stop_serving(hall.workspace, number)
    assert len(made) == 2


@pytest.mark.parametrize(
    ("lora", "words"), [({"r": 513}, "up to rank 512, and this one has 513"), ({"vision": True}, "in the vision tower")]
)
async def test_vllm_serves_the_merged_model_where_it_takes_no_such_adapter(
    hall: Hall, lora: dict[str, object], words: str
) -> None:
    number, folder = await trained(hall, "a", lora=lora)
    (folder / "merged").mkdir()
    (folder / "merged" / "config.json").touch()
    told: list[str] = []
    served = await serve_training(hall.workspace, number, program="vllm", endpoint="mine", tell=told.append)
    await stop_serving(hall.workspace, number)
    assert served.model == str(folder / "merged") and "--enable-lora" not in served.command
    assert len(told) == 1 and words in told[0]


async def test_it_sees_the_gpu_that_is_named_or_one_on_which_nothing_trains(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    number, folder = await trained(hall)

    async def seen(device: str | None) -> str:
        await serve_training(hall.workspace, number, program="transformers", device=device)
        await stop_serving(hall.workspace, number)
        lines = (folder / "serving" / "log").read_text().splitlines()
        return [line.split()[1] for line in lines if line.startswith("$ ")][-1]

    assert await seen("gpu 7") == "CUDA_VISIBLE_DEVICES=7"
    assert await seen("gpu") == "CUDA_VISIBLE_DEVICES=4"
    held = take(hall.workspace.paths, ["gpu 4"], 1, "the training 9")
    assert held is not None
    assert await seen("gpu") == "CUDA_VISIBLE_DEVICES=7"
    with pytest.raises(VqaError, match=f"gpu 4 is taken by the training 9 of {hall.workspace.paths.root}"):
        await seen("gpu 4")
    held.release()
    with pytest.raises(VqaError, match="is not being served"):
        await stop_serving(hall.workspace, number)
    assert await seen(None) == "CUDA_VISIBLE_DEVICES=", "it was trained on the CPU"
    with pytest.raises(VqaError, match="no device 'gpu 5'"):
        await seen("gpu 5")


async def test_its_server_holds_the_gpu_as_long_as_it_lives(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    number, _folder = await trained(hall)
    await serve_training(hall.workspace, number, program="transformers", device="gpu")
    try:
        assert is_locked(device_lock("gpu 0"))
        waiting = await hall.make("waiting", device="gpu")
        task = hall.supervise(waiting)
        await hall.reaches(waiting, lambda each: each.waits)
        other, _folder = await trained(hall, "other")
        with pytest.raises(VqaError, match=f"gpu 0 is taken by the server of the training {number}"):
            await serve_training(hall.workspace, other, program="transformers", device="gpu")
    finally:
        await stop_serving(hall.workspace, number)
    assert await task == 0


async def test_on_the_cpu_it_holds_up_no_training(hall: Hall) -> None:
    number, _folder = await trained(hall)
    held = take(hall.workspace.paths, ["cpu"], 1)
    assert held is not None
    await serve_training(hall.workspace, number, program="transformers")
    held.release()
    try:
        assert not is_locked(device_lock("cpu"))
    finally:
        await stop_serving(hall.workspace, number)


async def test_served_again_it_listens_where_its_endpoint_says(hall: Hall) -> None:
    """Runs that were made with the endpoint have its address frozen."""
    number, _folder = await trained(hall)
    addresses = []
    for _ in range(2):
        addresses.append((await serve_training(hall.workspace, number, program="transformers")).base_url)
        await stop_serving(hall.workspace, number)
    assert addresses[0] == addresses[1]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are over hold it for a minute
        other.bind(("127.0.0.1", int(addresses[0].removesuffix("/v1").rpartition(":")[2])))
        other.listen()
        assert (await serve_training(hall.workspace, number, program="transformers")).base_url != addresses[0]
        await stop_serving(hall.workspace, number)


async def test_a_merge_that_has_no_room_to_say_why_says_it_by_its_status(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _folder = await trained(hall, "a", lora={"r": 8})

    async def merge(*_: object) -> int:
        return FULL_DISK

    monkeypatch.setattr(serving, "run_to_end", merge)
    with pytest.raises(VqaError, match="cannot be merged into the model: the disk is full"):
        await serve_training(hall.workspace, number, program="transformers")


async def test_what_cannot_be_served_is_refused(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await hall.make("unfinished")
    with pytest.raises(VqaError, match="has left no adapter yet"):
        await serve_training(hall.workspace, number)
    number, _folder = await trained(hall, "vllm")
    with pytest.raises(VqaError, match="there is an endpoint named vllm already"):
        await serve_training(hall.workspace, number)
    with pytest.raises(VqaError, match="cannot be the name of an endpoint"):
        await serve_training(hall.workspace, number, endpoint="../x")
    monkeypatch.setattr(serving, "is_free", lambda _port: False)
    with pytest.raises(VqaError, match="port 8000 is taken"):
        await serve_training(hall.workspace, number, endpoint="mine", port=8000)


def test_the_commands_listen_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    command = serving.server_command("transformers", "/m", 8123)
    assert command[2:] == [
        "-m", "vqa_tui.training.serving", "/m", "--host", "127.0.0.1", "--port", "8123",
    ]  # fmt: skip
    monkeypatch.setattr(serving, "vllm_program", lambda: "/bin/vllm")
    assert serving.server_command("vllm", "/m", 1, ["--x"])[:3] == ["/bin/vllm", "serve", "/m"]
    monkeypatch.setattr(serving, "vllm_program", lambda: None)
    with pytest.raises(VqaError, match="vllm is not installed"):
        serving.server_command("vllm", "/m", 1)
