"""The one place where names become things: run + recipe + endpoint + keys -> a working engine."""

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.freeze import thaw_endpoint, thaw_recipe
from vqa_tui.config.google_tokens import GoogleToken
from vqa_tui.config.recipe import Recipe
from vqa_tui.config.secrets import MissingKey, RedactingFilter, resolve_key
from vqa_tui.config.templates import LacksTruth, PromptTemplate
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.quota import last_midnight
from vqa_tui.domain.ration import rest_of_epoch
from vqa_tui.domain.run import Intent, Phase
from vqa_tui.embedded.process import start_embedded
from vqa_tui.endpoints.at_hand import PicturesAtHand
from vqa_tui.endpoints.body import RequestBody
from vqa_tui.endpoints.client import VisionClient
from vqa_tui.endpoints.picture_cache import PictureCache, bytes_allowed
from vqa_tui.engine.admission import Gatekeeper
from vqa_tui.engine.bench import Bench
from vqa_tui.engine.board import Board
from vqa_tui.engine.breaker import Breaker
from vqa_tui.engine.budget import Budget
from vqa_tui.engine.child_watch import keep_running
from vqa_tui.engine.clips import fewer_frames, require_clips
from vqa_tui.engine.crew import Crew
from vqa_tui.engine.estimate import Estimator
from vqa_tui.engine.feeder import Feeder
from vqa_tui.engine.keyring import Keyring
from vqa_tui.engine.outage import Outage
from vqa_tui.engine.pulse import Pulse
from vqa_tui.engine.standstill import Standstill
from vqa_tui.engine.supervisor import Machinery, Supervisor
from vqa_tui.engine.worker import Worker
from vqa_tui.engine.writer import Writer
from vqa_tui.paths import WorkspacePaths
from vqa_tui.process.lock import ALREADY_AT_WORK, AlreadyAtWork, ProcessLock
from vqa_tui.safe_text import in_a_line
from vqa_tui.store import runs, tasks
from vqa_tui.store.db import Database, StoreTrouble
from vqa_tui.store.file_system import file_system_of, is_network_file_system
from vqa_tui.store.inflight import FlightJournal, read_flights
from vqa_tui.store.queue import TaskQueue
from vqa_tui.store.quota_use import QuotaUse
from vqa_tui.store.reads import attempt_totals, run_counts

_FILES = 16_384
_AFTER_S = 0.005
"""A look at other engines begins so long after its epoch, for timers that fire early."""

log = logging.getLogger(__name__)


async def run_engine(paths: WorkspacePaths, run_id: int) -> int:
    """Be the engine of a run until it is done, stopped or broken.

    Returns the exit status: 0 ok, 1 failed, ALREADY_AT_WORK when another engine is. Raises VqaError when there is no
    such run.
    """
    try:
        return await _run_engine(paths, run_id)
    except AlreadyAtWork as refusal:
        log.warning("%s", refusal.message)
        return ALREADY_AT_WORK


async def _run_engine(paths: WorkspacePaths, run_id: int) -> int:
    redaction = _log_to_stderr()
    _allow_many_files()
    async with Database.open(paths) as database:
        frozen = await runs.frozen_run(database, run_id)
        if frozen is None:
            raise VqaError(f"there is no run {run_id} in {paths.root}")
        before = await runs.newest_session(database, run_id)
        async with ProcessLock(paths.run_lock(run_id)):
            # Whoever deletes a run holds the lock too.
            if await runs.frozen_run(database, run_id) is None:
                raise VqaError(f"run {frozen.name} was deleted")
            if await runs.newest_session(database, run_id) != before:
                # While we waited for the lock another engine came, worked and went: it did what we were started for.
                raise AlreadyAtWork("another engine has just been at work on this run")
            return await _be_engine(database, paths, frozen, redaction)


async def _be_engine(
    database: Database, paths: WorkspacePaths, frozen: runs.FrozenRun, redaction: RedactingFilter
) -> int:
    """Hold one engine session from its start to its end, and return the exit status."""
    run_id = frozen.id
    session_id = await runs.begin_session(database, run_id, os.getpid())
    supervisor = Supervisor(database, run_id, pilot_size=frozen.pilot_size)
    _obey_signals(supervisor)
    phase = Phase.FAILED
    try:
        await _rescue(database, paths, frozen, session_id)
        if (await runs.wishes(database, run_id)).intent is Intent.STOP:
            await supervisor.enter(Phase.STOPPED, "a person stopped it; resume it whenever you like")
            phase = Phase.STOPPED
        else:
            phase = await _work(database, paths, frozen, session_id, supervisor, redaction)
    except VqaError as problem:
        log.error("%s", problem)
        await supervisor.enter(Phase.FAILED, in_a_line(str(problem)), level="error")
    except Exception as fault:  # Whatever it was, whoever watches the run is told that it failed, and of what.
        log.exception("the engine broke")
        await supervisor.enter(
            Phase.FAILED, f"a fault of the program: {fault!r}; the log has the details", level="error"
        )
    finally:
        await runs.end_session(database, run_id, session_id, phase)
    return 0 if phase in (Phase.DONE, Phase.STOPPED) else 1


async def _work(
    database: Database,
    paths: WorkspacePaths,
    frozen: runs.FrozenRun,
    session_id: int,
    supervisor: Supervisor,
    redaction: RedactingFilter,
) -> Phase:
    await supervisor.enter(Phase.PREFLIGHT, "checking keys, pictures and prompts")
    recipe, endpoint = thaw_recipe(frozen.recipe), thaw_endpoint(frozen.endpoint)
    supervisor.limits = (await runs.wishes(database, frozen.id)).limits
    keyring = _keyring(endpoint, supervisor, redaction)
    root = Path(frozen.dataset_root)
    if not await asyncio.to_thread(root.is_dir):
        raise VqaError(f"the folder of the dataset is gone: {root}", hint="Bring it back and resume the run.")
    template = PromptTemplate(recipe)
    first = await tasks.first_items(database, frozen.id, max(recipe.parts, 3))
    if any(item.truth.clip is not None for item, _ in first):
        require_clips(recipe, endpoint)
        if fewer := fewer_frames(recipe, endpoint):
            supervisor.tell("info", fewer)
    for item, part in first:
        # A picture without what the recipe needs fails alone.
        with suppress(LacksTruth):
            template.render(item, part)
            template.reply_texts(item, part)
    async with _machinery(database, paths, frozen, session_id, supervisor, recipe, endpoint, keyring) as machinery:
        _collect_less_often()
        return await supervisor.work(machinery)


@asynccontextmanager
async def _machinery(
    database: Database,
    paths: WorkspacePaths,
    frozen: runs.FrozenRun,
    session_id: int,
    supervisor: Supervisor,
    recipe: Recipe,
    endpoint: Endpoint,
    keyring: Keyring,
) -> AsyncIterator[Machinery]:
    async with AsyncExitStack() as stack:
        base_url = endpoint.base_url
        if endpoint.kind == "embedded":
            server = await asyncio.to_thread(start_embedded, endpoint)
            stack.callback(server.stop)
            base_url = server.base_url
            keeping = asyncio.create_task(keep_running(server, tell=supervisor.tell, halt=supervisor.halt))
            keeping.add_done_callback(lambda done: _end_on_fault(done, supervisor))
            stack.callback(keeping.cancel)
        client = await stack.enter_async_context(VisionClient(endpoint, base_url, connections=0))
        threads = ThreadPoolExecutor(max_workers=_cores(), thread_name_prefix="prepare")
        stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        totals = await attempt_totals(database, frozen.id)
        board, breaker = Board(preparers=_cores()), Breaker()
        budget = Budget(
            cap=None,
            spent=totals.spent_nano,
            uncertain=totals.uncertain_nano,
            worst_ratio=totals.worst_ratio,
            proven=totals.answered,
        )
        if endpoint.kind != "embedded":
            # The embedded endpoint begins anew with every engine, and so do its quotas.
            use = QuotaUse(database, frozen.id, endpoint.name, paths.run_flight_journal)
            now = time.time()
            zone = ZoneInfo(endpoint.day_resets)
            keyring.count(await use.before(now, last_midnight(now, zone)), use.sharing)
            counting = asyncio.create_task(_count_others(use, keyring, zone, supervisor.tell))
            counting.add_done_callback(lambda done: _end_on_fault(done, supervisor))
            stack.callback(counting.cancel)
        gatekeeper = Gatekeeper(keyring, budget, board)
        outage = Outage(
            tell=supervisor.tell,
            halt=supervisor.halt,
            restart=keyring.restart_gently,
            ever_reached=(await run_counts(database, frozen.id)).done > 0,
        )
        standstill = Standstill(lambda gap: _wake_up(gap, supervisor, keyring))
        journal = FlightJournal(paths.run_flight_journal(frozen.id))
        stack.callback(journal.close)
        queue = TaskQueue(database, frozen.id, session_id)
        writer = Writer(queue, lambda group: supervisor.committed(group, journal, feeder.poke))
        feeder = Feeder(queue, writer)
        template = PromptTemplate(recipe)
        bench = Bench(
            recipe=recipe,
            endpoint=endpoint,
            dataset_root=Path(frozen.dataset_root),
            template=template,
            estimator=Estimator(recipe, endpoint),
            bodies=[RequestBody(each, endpoint) for each in template.recipes],
            client=client,
            gatekeeper=gatekeeper,
            breaker=breaker,
            outage=outage,
            standstill=standstill,
            board=board,
            journal=journal,
            writer=writer,
            threads=threads,
            limits=lambda: supervisor.limits,
            may_hedge=supervisor.may_hedge,
            halt=supervisor.halt,
            tell=supervisor.tell,
            pictures=PictureCache(paths.picture_cache, await asyncio.to_thread(bytes_allowed, paths.picture_cache)),
            at_hand=PicturesAtHand(trusted=not is_network_file_system(file_system_of(Path(frozen.dataset_root)))),
        )
        crew = Crew(feeder.take, Worker(bench).handle)
        pulse = Pulse(
            database,
            paths.database,
            frozen.id,
            session_id,
            board=board,
            keyring=keyring,
            budget=budget,
            still_sending=client.still_sending,
        )
        background = [asyncio.create_task(writer.work()), asyncio.create_task(feeder.work())]
        for each in background:
            each.add_done_callback(lambda done: _end_on_fault(done, supervisor))
        try:
            yield Machinery(queue, writer, feeder, crew, gatekeeper, breaker, outage, standstill, board, journal, pulse)
        finally:
            await crew.dismiss()
            if not background[0].done():
                await writer.drained()
            for each in background:
                each.cancel()
            await asyncio.gather(*background, return_exceptions=True)


def _keyring(endpoint: Endpoint, supervisor: Supervisor, redaction: RedactingFilter) -> Keyring:
    values: dict[str, SecretStr] = {}
    fresh: dict[str, Callable[[], Awaitable[SecretStr]]] = {}
    missing: dict[str, str] = {}
    for key in endpoint.keys:
        found = resolve_key(key, endpoint, os.environ)
        if isinstance(found, MissingKey):
            missing[key.name] = found.reason
            supervisor.tell("warning", f"key {key.name} is off: {found.reason}")
        elif isinstance(found, GoogleToken):
            found.on_new = redaction.add
            fresh[key.name] = found.value
        else:
            values[key.name] = found
            redaction.add(found)
    if not values and not fresh:
        raise VqaError(
            f"no key of the endpoint {endpoint.name} has a value: " + "; ".join(missing.values()),
            hint="Set it in the environment of the shell that resumes the run, then `vqa-tui run resume`.",
        )
    keyring = Keyring(endpoint, values, supervisor.limits, missing, tell=supervisor.tell)
    for lent in keyring.keys:
        lent.fresh = fresh.get(lent.name)
    return keyring


async def _count_others(use: QuotaUse, keyring: Keyring, zone: ZoneInfo, tell: Callable[[str, str], None]) -> None:
    """Count what engines of other runs take of the same keys' quotas, at the beginning of every epoch.

    Where that cannot be seen the run goes on with its part of the room as it saw it last: the quotas are then held only
    as far as the endpoint tells.
    """
    is_told = False
    while True:
        await asyncio.sleep(rest_of_epoch(time.time()) + _AFTER_S)
        now = time.time()
        try:
            keyring.count(await use.of_others(now, last_midnight(now, zone)), use.sharing)
        except (StoreTrouble, OSError) as trouble:
            log.warning("cannot look at what other runs use: %s", trouble)
            if not is_told:
                tell("warning", f"what other runs use of the same quotas cannot be seen: {trouble}")
            is_told = True
            keyring.count((), replace(use.sharing, looked_at=now, rests=False))


async def _rescue(database: Database, paths: WorkspacePaths, frozen: runs.FrozenRun, session_id: int) -> None:
    run_id = frozen.id
    rescue = await TaskQueue(database, run_id, session_id).rescue(read_flights(paths.run_flight_journal(run_id)))
    if rescue.tasks or rescue.requests:
        message = (
            f"the engine had ended without a word: {rescue.tasks} {frozen.unit}s were put back and are asked again; "
            f"{rescue.requests} requests had been sent whose replies were not stored, and may be billed"
        )
        await runs.add_event(database, run_id, "warning", message)
        log.warning("%s", message)


def _wake_up(gap_s: float, supervisor: Supervisor, keyring: Keyring) -> None:
    supervisor.stood_still(gap_s)
    keyring.restart_gently()


def _end_on_fault(done: "asyncio.Task[None]", supervisor: Supervisor) -> None:
    if not done.cancelled() and (fault := done.exception()) is not None:
        supervisor.break_off(fault)


def _collect_less_often() -> None:
    """Leave what the start-up made out of every garbage collection, and look for cycles among the rest less often.

    Starting leaves next to no garbage, so none is looked for. A request makes hundreds of short-lived objects and
    hardly a cycle. The threshold stays low enough for the cycles of failed requests, which hold their bodies until they
    are collected.
    """
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


def _cores() -> int:
    """How many cores this process may use; a container or `taskset` may give it fewer than the machine has."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _allow_many_files() -> None:
    """Every request in flight needs a file or two; some systems start programs with as few as 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _obey_signals(supervisor: Supervisor) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, supervisor.end, "the engine was told to end (SIGTERM)")
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _log_to_stderr() -> RedactingFilter:
    redaction = RedactingFilter()
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(redaction)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    return redaction
