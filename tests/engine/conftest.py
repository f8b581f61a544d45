"""A worker among real parts: only the endpoint and the store are played, by scripts."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint, EndpointPrices, KeyConfig
from vqa_tui.config.recipe import Generation, PromptTemplates, Recipe, ReplyFormat
from vqa_tui.config.templates import PromptTemplate
from vqa_tui.domain.cost import Usage
from vqa_tui.domain.failure import Failure, FailureKind
from vqa_tui.domain.item import GroundTruth, Item
from vqa_tui.domain.run import Limits
from vqa_tui.domain.work import ClaimedTask, TaskOutcome
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.client import Answer, AskFailed, VisionClient
from vqa_tui.engine.admission import Gatekeeper
from vqa_tui.engine.bench import Bench
from vqa_tui.engine.board import Board
from vqa_tui.engine.breaker import Breaker
from vqa_tui.engine.budget import Budget
from vqa_tui.engine.estimate import Estimator
from vqa_tui.engine.halt import Halt
from vqa_tui.engine.keyring import Keyring
from vqa_tui.engine.outage import Outage
from vqa_tui.engine.standstill import Standstill
from vqa_tui.engine.worker import Worker
from vqa_tui.engine.writer import Writer
from vqa_tui.sources.probe import probe
from vqa_tui.store.inflight import FlightJournal

GOOD = '[{"question": "What is it?", "answer": "A red square."}]'
COST_NANO = 930_000
"""900 + 30 tokens at a dollar a million."""
Script = Callable[[], Awaitable[Answer]]


class Scripted(VisionClient):
    """Stands in for the endpoint: gives what the script says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.max_tokens: list[int] = []
        self.formats: list[object] = []
        self.script: Script = answers()

    async def ask(self, body: bytes, key_value: SecretStr) -> Answer:
        sent = json.loads(body)
        content = sent["messages"][-1]["content"]
        self.max_tokens.append(sent["max_tokens"])
        self.formats.append(sent.get("response_format"))
        self.asked.append(next(part["text"] for part in content if part["type"] == "text"))
        return await self.script()


class Collected(Writer):
    """Stands in for the writer: keeps what is handed over."""

    def __init__(self) -> None:
        super().__init__(NoStore(), lambda group: None)
        self.outcomes: list[TaskOutcome] = []

    async def submit(self, outcome: TaskOutcome) -> None:
        self.outcomes.append(outcome)


class NoStore:
    async def settle(self, outcomes: object) -> None:
        raise AssertionError("nothing is stored here")


@dataclass
class Workshop:
    """A worker among real parts; only the endpoint and the store are played."""

    item: Item
    root: Path
    bench: Bench
    client: Scripted
    writer: Collected
    keyring: Keyring
    budget: Budget
    limits: list[Limits]
    journal_path: Path
    halts: list[Halt] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def task(self, spent: int = 0, kind: str | None = None, problem: str | None = None, number: int = 7) -> ClaimedTask:
        return ClaimedTask(number, self.item, spent, kind, problem)

    async def outcome(self, task: ClaimedTask | None = None) -> TaskOutcome:
        """Have the task worked off; whatever happened, there is one outcome and everything lent is back."""
        await Worker(self.bench).handle(task or self.task())
        return self.only_outcome()

    def only_outcome(self) -> TaskOutcome:
        (outcome,) = self.writer.outcomes
        self.writer.outcomes.clear()
        self.nothing_is_held()
        return outcome

    def nothing_is_held(self) -> None:
        assert [key.in_flight for key in self.keyring.keys] == [0] and self.budget.reserved == 0
        board = self.bench.board
        assert (board.busy, board.preparing, board.asking, board.waiting_for_key, board.waiting_for_budget) == (0,) * 5


MakeWorkshop = Callable[..., Workshop]


@pytest.fixture
async def make_workshop(tmp_path: Path) -> AsyncIterator[MakeWorkshop]:
    threads = ThreadPoolExecutor(1)
    journals: list[FlightJournal] = []
    root = tmp_path / "pictures"
    root.mkdir()
    Image.new("RGB", (24, 16), "red").save(root / "red.png")

    def make(user: str = "What is it?", cap: int | None = None, **rules: Any) -> Workshop:
        recipe = Recipe(
            name="r",
            prompt=PromptTemplates(user=user, repair="It was wrong: {{ problem }}"),
            reply=rules.get("reply", ReplyFormat(kind="json_pairs")),
            generation=rules.get("generation", Generation(max_tokens=100)),
            pairs=rules.get("pairs", 1),
        )
        prices = EndpointPrices.model_validate({"input_per_million": 1, "output_per_million": 1})
        endpoint = Endpoint(
            name="e",
            base_url="http://127.0.0.1:1/v1",
            model="m",
            keys=(KeyConfig(name="a"),),
            prices=prices,
            json_schema=rules.get("json_schema", False),
        )
        item = Item(1, 1, "red.png", "red.png", probe(root / "red.png"), None, GroundTruth())
        journal_path = tmp_path / f"journal-{len(journals)}"
        journals.append(FlightJournal(journal_path))
        keyring = Keyring(endpoint, {"a": SecretStr("x")}, Limits(), {})
        budget, board = Budget(cap, proven=True), Board()
        client, writer, limits, halts, told = Scripted(), Collected(), [Limits()], list[Halt](), list[str]()

        def tell(level: str, message: str) -> None:
            told.append(f"{level}: {message}")

        bench = Bench(
            recipe=recipe,
            endpoint=endpoint,
            dataset_root=root,
            template=PromptTemplate(recipe),
            estimator=Estimator(recipe, endpoint),
            bodies=[RequestBody(recipe, endpoint)],
            client=client,
            gatekeeper=Gatekeeper(keyring, budget, board),
            breaker=Breaker(),
            outage=Outage(tell=tell, halt=halts.append, restart=keyring.restart_gently, ever_reached=True),
            standstill=Standstill(lambda gap: tell("warning", f"stood still for {gap:.0f} s")),
            board=board,
            journal=journals[-1],
            writer=writer,
            threads=threads,
            limits=lambda: limits[0],
            may_hedge=lambda: limits[0].hedge,
            halt=halts.append,
            tell=tell,
        )
        return Workshop(item, root, bench, client, writer, keyring, budget, limits, journal_path, halts, told)

    yield make
    threads.shutdown()
    for journal in journals:
        journal.close()


@pytest.fixture
def workshop(make_workshop: MakeWorkshop) -> Workshop:
    return make_workshop()


def answers(text: str = GOOD, *, reported: bool = True) -> Script:
    async def answer() -> Answer:
        return Answer(text, "stop", Usage(900, 30) if reported else Usage(), reported, "m", "id-1", 200, 12.5)

    return answer


def fails(kind: FailureKind, status: int | None = None, **more: Any) -> Script:
    usage, finish_reason = more.pop("usage", None), more.pop("finish_reason", "")
    failure = Failure(kind, more.pop("message", "the problem"), status, **more)

    async def fail() -> Answer:
        raise AskFailed(failure, http_status=status, raw_body="raw", usage=usage, finish_reason=finish_reason)

    return fail


async def until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while True:
            if fact():
                return
            await asyncio.sleep(0)
