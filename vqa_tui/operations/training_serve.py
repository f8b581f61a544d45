"""Serving a tuned model, and registering it as an endpoint, so that it labels the next dataset."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import yaml

from vqa_tui.config.load import is_known
from vqa_tui.config.training import TINY_MODEL, Lora, TrainingConfig
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training_exit import FULL_DISK, FULL_DISK_WORDS, told_reason
from vqa_tui.operations.workspace import Workspace
from vqa_tui.process import serving
from vqa_tui.process.devices import CPU, Taken, device_named, places_of, take_one, variables_for
from vqa_tui.process.known_process import KnownProcess
from vqa_tui.process.lock import ProcessLock, is_locked
from vqa_tui.process.serving import Served, Wanted
from vqa_tui.process.spawn import spawn_until_up
from vqa_tui.process.training_command import keeper_environment
from vqa_tui.store import trainings
from vqa_tui.tail import tail

_ADAPTER, _MERGED = "adapter", "merged"
_WEIGHTS = "config.json"
"""There in every folder that holds a whole model."""
_MARK = "# Written by `vqa-tui train serve`, and written anew by the next one of this training.\n"
_SPAWN_PATIENCE_S = 30.0
_STARTER_LOG = "starter.log"
"""What the process says that starts a server and waits until it answers."""
_VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM takes for --max-lora-rank (docs.vllm.ai, vllm.config.lora, MaxLoRARanks)."""
_START_PATIENCE_S = 1800.0
"""Loading a large model from a slow disk takes many minutes."""


@dataclass(frozen=True, slots=True)
class ServedTraining:
    """A tuned model that answers."""

    training_id: int
    base_url: str
    endpoint: str
    file: Path
    """The endpoint's file."""
    model: str
    program: str
    command: tuple[str, ...]


async def serve_training(
    workspace: Workspace,
    training_id: int,
    *,
    port: int | None = None,
    program: str | None = None,
    endpoint: str | None = None,
    device: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> ServedTraining:
    """Start the server of a training's model on loopback, wait until it answers, and write its endpoint file.

    `program` is `transformers` or `vllm` (default: vllm where it is installed). transformers needs the merged model,
    which is made where it is absent; vllm takes the adapter beside the base model where it can, and `tell` gets a
    sentence where it cannot. It computes on the first GPU of `device` (default: that of the training) that is free,
    holds it as long as it lives, and goes on without us. Without `port` it listens where its endpoint says already, so
    that runs which were made with that go on, else on a free one.
    Raises VqaError when there is no such training, adapter or device, no GPU is free, it is served already, or the
    server does not come up.
    """
    frozen = await trainings.frozen_training(workspace.db, training_id)
    config = TrainingConfig.model_validate_json(frozen.config)
    folder = workspace.paths.training_folder(training_id)
    if not (folder / _ADAPTER).is_dir():
        raise VqaError(
            f"the training {frozen.name} has left no adapter yet", hint="Let it end: a stopped one goes on by resume."
        )
    places = places_of(device_named(device or frozen.device, 1), 1)
    program = program or ("vllm" if serving.vllm_program() else "transformers")
    _require_installed(program)
    name = endpoint or usual_endpoint(frozen.name)
    file = _endpoint_file(workspace, name)
    if port is not None and not serving.is_free(port):
        raise VqaError(f"port {port} is taken by another program", hint="Leave out --port for a free one.")
    port = port or _port_before(file) or serving.free_port()
    place = workspace.paths.training_serving(training_id)
    place.mkdir(mode=0o700, exist_ok=True)
    lock = ProcessLock(
        place / "lock",
        taken=f"the training {frozen.name} is being served already",
        hint=f"`vqa-tui train serve {training_id} --stop` ends it.",
    )
    if (left := serving.served_in(place)) is not None and left.state == serving.FAILED:
        raise VqaError(
            f"a server of the training {frozen.name} is there whose starter was gone before it answered",
            hint=f"`vqa-tui train serve {training_id} --stop` ends it.",
        )
    async with lock:
        with _held(workspace, places, f"the server of the training {training_id}") as taken:
            rank = _rank_for_vllm(config) if program == "vllm" else None
            wanted = Wanted(port, program, config.model, name, variables_for(taken.places), tuple(taken.descriptors))
            if rank is not None:
                model = name
                more = ["--enable-lora", "--max-lora-rank", str(rank), "--lora-modules", f"{name}={folder / _ADAPTER}"]
                command = serving.server_command(program, config.model, port, more)
            else:
                if program == "vllm" and config.lora is not None:
                    tell(_why_merged(config.lora))
                model = str(await _whole_model(folder, place, lock, config, wanted))
                command = serving.server_command(program, model, port)
            served = await serving.start_server(
                command, place, lock, replace(wanted, model=model), patience_s=_START_PATIENCE_S
            )
            try:
                _write_endpoint(file, served, config, frozen.name)
            except OSError as error:
                await serving.abandon_server(served.pid, place)
                raise VqaError(f"the endpoint {file} cannot be written: {error.strerror}") from error
    return ServedTraining(training_id, served.base_url, name, file, model, program, tuple(command))


@contextmanager
def _held(workspace: Workspace, places: tuple[str, ...], who: str) -> Iterator[Taken]:
    """Hold the GPU that a server is to compute on until there is a process that inherited it.

    The CPU is not held: a server there takes no memory of a device from a training, both are only slower, and trainings
    would otherwise wait for as long as a model is served.
    """
    if places == (CPU,):
        yield Taken(places, [])
        return
    hint = "Serve when that has ended, or stop it; --device names another GPU, or `cpu`."
    taken = take_one(workspace.paths, places, who, hint=hint)
    try:
        yield taken
    finally:
        taken.release()


def usual_endpoint(training: str) -> str:
    """Return what the endpoint of a training with that name is called where no other name is given."""
    return re.sub(r"[^a-z0-9_-]+", "-", training.lower()).strip("-_")


async def start_serving(workspace: Workspace, training_id: int) -> None:
    """Begin what `serve_training` does in a process that outlives us, and return when it is at work.

    `serving_sight` tells how it goes on, `stop_serving` ends it. Raises VqaError with what the process said where it
    ended at once: there is no adapter, a package is missing, it is served already.
    """
    place = workspace.paths.training_serving(training_id)
    await spawn_until_up(
        ["server", str(training_id), "--workspace", str(workspace.paths.root)],
        log=place / _STARTER_LOG,
        environment=keeper_environment(os.environ),
        what="the server",
        is_up=lambda: serving.served_in(place) is not None,
        patience_s=_SPAWN_PATIENCE_S,
    )


@dataclass(frozen=True, slots=True)
class ServingSight:
    """What there is to see of the server of a training."""

    served: Served | None = None
    problem: str = ""
    """Why the last one is not there, in its own words; hostile text."""


def serving_sight(workspace: Workspace, training_id: int) -> ServingSight:
    """Return the server of a training, also one that has yet to answer, or why the last one did not come up."""
    place = workspace.paths.training_serving(training_id)
    if (served := serving.served_in(place)) is not None:
        return ServingSight(served)
    # Who starts a server says nothing where that went well.
    return ServingSight(None, "" if is_locked(place / "lock") else tail(place / _STARTER_LOG, lines=6))


async def stop_serving(workspace: Workspace, training_id: int) -> Served:
    """End the server of a training, also one that has yet to answer; its endpoint file stays, for runs that were made
    with it. Raises VqaError when it is not served or something of the server lives on."""
    place = workspace.paths.training_serving(training_id)
    served = serving.served_in(place)
    if served is None:
        if is_locked(place / "lock"):
            raise VqaError(
                f"the server of the training {training_id} has no process yet, or its file cannot be read",
                hint=f"Try it again in a moment; `fuser {place / 'lock'}` names who starts it.",
            )
        raise VqaError(f"the training {training_id} is not being served")
    # Who waits for its answer will say that it did not come: that is what was wanted.
    (place / _STARTER_LOG).unlink(missing_ok=True)
    if not await serving.end_server(served, place):
        raise VqaError(
            f"the server of the training {training_id} does not end",
            hint=KnownProcess(served.pid, served.process_start).how_to_end(place / "lock"),
        )
    return served


def served_training(workspace: Workspace, training_id: int) -> Served | None:
    """Return the server of a training, also one that has yet to answer; None where there is none."""
    return serving.served_in(workspace.paths.training_serving(training_id))


def missing_packages() -> list[str]:
    """Return the names of packages that serving needs and that are not there; none where vLLM is installed."""
    return [] if serving.vllm_program() else _missing_for_transformers()


def _missing_for_transformers() -> list[str]:
    return [each for each in ("torch", "transformers", "peft", "fastapi", "uvicorn") if find_spec(each) is None]


def _require_installed(program: str) -> None:
    if program == "vllm":
        serving.server_command("vllm", "", 0)  # raises where there is none
        return
    if missing := _missing_for_transformers():
        raise VqaError(
            f"serving needs packages that are not installed: {', '.join(missing)}",
            hint="`pip install 'vqa-tui[serve]'` brings them.",
        )


def _rank_for_vllm(config: TrainingConfig) -> int | None:
    """Return the rank for which vLLM is to make room so that it can put the adapter on the base model; None where it
    cannot: it does so in the language model alone (docs.vllm.ai, LoRA Adapters), and up to a rank."""
    if config.lora is None or config.lora.vision or config.model == TINY_MODEL:
        return None
    return next((rank for rank in _VLLM_RANKS if rank >= config.lora.r), None)


def _why_merged(lora: Lora) -> str:
    if lora.vision:
        reason = "vLLM takes adapters in the language model alone, and this one is in the vision tower too"
    elif lora.r > _VLLM_RANKS[-1]:
        reason = f"vLLM takes adapters up to rank {_VLLM_RANKS[-1]}, and this one has {lora.r}"
    else:
        reason = "vLLM does not know the tiny model"
    return f"{reason}: it is merged into the model, which is served as a whole."


async def _whole_model(folder: Path, place: Path, lock: ProcessLock, config: TrainingConfig, wanted: Wanted) -> Path:
    """Return the folder of the whole model, made where it is absent or older than the adapter."""
    if config.lora is None:
        return folder / _ADAPTER
    merged, adapter = folder / _MERGED / _WEIGHTS, folder / _ADAPTER / "adapter_config.json"
    if merged.is_file() and merged.stat().st_mtime >= adapter.stat().st_mtime:
        return folder / _MERGED
    command = [sys.executable, "-P", "-m", "vqa_tui.training.merging", str(folder / "config.json")]
    if status := await serving.run_to_end(command, place, lock, wanted):
        unsaid = FULL_DISK_WORDS if status == FULL_DISK else "its log says more"
        reason = told_reason(tail(place / "log")) or unsaid
        raise VqaError(f"the adapter cannot be merged into the model: {reason}", hint=f"The log: {place / 'log'}")
    return folder / _MERGED


def _endpoint_file(workspace: Workspace, name: str) -> Path:
    """Return where the endpoint will stand. Raises VqaError for a name that cannot be one or is another's."""
    file = workspace.endpoint_folders[0] / f"{name}.yaml"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise VqaError(
            f"`{name}` cannot be the name of an endpoint",
            hint="Give --endpoint NAME of small letters, digits, `_` and `-`.",
        )
    try:
        ours = file.read_text("utf-8").startswith(_MARK)
    except FileNotFoundError:
        ours = False
    except (OSError, ValueError) as error:
        raise VqaError(f"{file} cannot be read: {error}") from error
    if not ours and is_known(name, workspace.endpoint_folders):
        raise VqaError(f"there is an endpoint named {name} already", hint="Give another one: --endpoint NAME.")
    return file


def _port_before(file: Path) -> int | None:
    """Return the port that an endpoint of ours was written for, where it is free; None where it is not."""
    try:
        found = re.search(
            rf"^base_url: http://{re.escape(serving.HOST)}:(\d{{1,5}})/v1$", file.read_text("utf-8"), re.MULTILINE
        )
    except FileNotFoundError:
        return None
    port = int(found[1]) if found else 0
    return port if 0 < port < 65536 and serving.is_free(port) else None


def _write_endpoint(file: Path, served: Served, config: TrainingConfig, training: str) -> None:
    value = {
        "name": served.endpoint,
        "description": f"{config.model} tuned by the training {training}, on this machine; no cost for tokens",
        "base_url": served.base_url,
        "model": served.model,
        "keys": [{"name": "local"}],
        "prices": {"input_per_million": 0, "output_per_million": 0, "source": "your own machine"},
        # transformers answers one request after another; vLLM batches what it gets at once.
        "concurrency": 32 if served.program == "vllm" else 2,
        "json_schema": served.program == "vllm",
        "timeouts": {"connect_s": 5, "first_byte_s": 600, "total_s": 900},
        "picture": {"max_bytes": 20_000_000, "formats": ["JPEG", "PNG", "WEBP"]},
    }
    file.parent.mkdir(exist_ok=True)
    partial = file.with_name(f".{file.name}.partial")
    partial.write_text(_MARK + yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100), "utf-8")
    partial.rename(file)
