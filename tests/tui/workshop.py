"""A real workspace for screens: drawn pictures, runs with settled tasks, and the services over both; no engine."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from vqa_tui.domain.cost import Usage
from vqa_tui.domain.run import Phase, TaskStatus
from vqa_tui.domain.sample import Pair, SampleFlag
from vqa_tui.domain.work import AttemptRecord, TaskOutcome
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.planning import RunRequest, create_run
from vqa_tui.operations.workspace import Workspace, open_workspace, patient_connection
from vqa_tui.store import runs
from vqa_tui.store.queue import TaskQueue
from vqa_tui.tui.services import Services


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one task: its only attempt, and the pairs or the failure that it led to."""

    status: TaskStatus = TaskStatus.DONE
    pairs: tuple[Pair, ...] = (Pair("What is shown?", "A coloured bag.", "general"),)
    kind: str | None = None
    problem: str = ""
    reply: str = "A coloured bag."
    key_name: str = "main"
    http_status: int | None = 200
    latency_ms: float = 800.0
    cost_nano: int = 137_000
    finish_reason: str = "stop"


DONE = Fate()
FLAGGED = Fate(pairs=(Pair("What is it?", "x", "general", (SampleFlag.SHORT_ANSWER,)),), reply="x")
BAD_REPLY = Fate(TaskStatus.FAILED, (), "bad_reply", "no JSON list in the reply", "Sorry, I cannot.")
SERVER = Fate(TaskStatus.FAILED, (), "server", "503: upstream 17 overloaded", "", http_status=503, cost_nano=0)


class QuietServices(Services):
    """The services as they are, but an empty workspace is greeted only where a test wants it."""

    greets = False

    async def is_new(self) -> bool:
        return self.greets and await super().is_new()


@asynccontextmanager
async def opened_workshop(folder: Path, *, pictures: int = 0) -> AsyncIterator["Workshop"]:
    """Open a workspace in `folder` as the terminal app does, with so many pictures as the dataset `bags`."""
    async with open_workspace(folder) as workspace, patient_connection(workspace) as writing:
        made = Workshop(workspace, writing, folder)
        if pictures:
            await made.dataset(pictures)
        yield made


class Workshop:
    """Makes what a test of a screen needs, straight in a workspace file."""

    def __init__(self, workspace: Workspace, writing: Workspace, folder: Path) -> None:
        self.workspace = workspace
        self.services = QuietServices(workspace, writing)
        self.folder = folder

    async def dataset(self, pictures: int = 12, name: str = "bags") -> str:
        """Draw pictures, all different, each with two boxes of ground truth (COCO), and import them."""
        root = self.folder / name
        (root / "images").mkdir(parents=True)
        images, boxes = [], []
        for number in range(pictures):
            file = f"images/{number:05}.png"
            picture = Image.new("RGB", (160, 120), (number * 37 % 256, number * 11 % 256, 90))
            draw = ImageDraw.Draw(picture)
            draw.rectangle((20, 30, 70, 80), fill=(220, 140, 40))
            draw.ellipse((90, 40, 140, 100), fill=(60, 160, 120))
            picture.save(root / file)
            images.append({"id": number, "file_name": file, "width": 160, "height": 120})
            boxes.append({"id": 2 * number, "image_id": number, "category_id": 1, "bbox": [20, 30, 50, 50]})
            boxes.append({"id": 2 * number + 1, "image_id": number, "category_id": 2, "bbox": [90, 40, 50, 60]})
        categories = [{"id": 1, "name": "Battery"}, {"id": 2, "name": "Knife"}]
        truth = root / "instances.json"
        truth.write_text(json.dumps({"images": images, "annotations": boxes, "categories": categories}))
        await import_dataset(self.workspace, "coco", truth, name=name)
        return name

    async def run(
        self,
        fates: Sequence[Fate] = (),
        *,
        name: str = "first",
        dataset: str = "bags",
        recipe: str = "caption",
        endpoint: str = "embedded",
        phase: Phase = Phase.STOPPED,
    ) -> int:
        """Create a run and settle its first tasks with `fates`, as an engine session would that then ended."""
        request = RunRequest(dataset, recipe, endpoint, name=name, pilot=0, yes=True)
        run_id = await create_run(self.workspace, request)
        await self.settle(run_id, fates, phase=phase)
        return run_id

    async def settle(self, run_id: int, fates: Sequence[Fate], *, phase: Phase = Phase.STOPPED) -> None:
        """Let one more engine session settle the next pending tasks, one fate each, and end in `phase`."""
        database = self.workspace.db
        session_id = await runs.begin_session(database, run_id, 1)
        queue = TaskQueue(database, run_id, session_id)
        for task, fate in zip(
            await queue.claim(len(fates), now=time.time(), pilot_only=False) if fates else [], fates, strict=True
        ):
            attempt = AttemptRecord(
                fate.key_name,
                time.time() - 1,
                fate.latency_ms,
                fate.kind or "ok",
                http_status=fate.http_status,
                message=fate.problem,
                usage=Usage(900, 30) if fate.cost_nano else Usage(),
                cost_nano=fate.cost_nano,
                finish_reason=fate.finish_reason,
                model="vqa-embedded-1",
                raw_reply=fate.reply,
            )
            outcome = TaskOutcome(
                task.id,
                fate.status,
                attempt,
                spends_attempt=True,
                kind=fate.kind,
                problem=fate.problem or None,
                pairs=fate.pairs,
            )
            await queue.settle([outcome])
        await runs.set_phase(database, run_id, phase, "")
        await runs.end_session(database, run_id, session_id, phase)
