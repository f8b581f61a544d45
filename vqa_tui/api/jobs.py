"""The routes of the API: trainings, their streams, the runs, and metrics."""

import asyncio
from typing import Any

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from vqa_tui.api.actions import Actions
from vqa_tui.api.delivery import Unhurried, send
from vqa_tui.api.gauges import Gauges
from vqa_tui.api.job_request import JobRequest, job_of, read_request
from vqa_tui.api.openapi import document
from vqa_tui.api.refusals import GUARDED, Refused, json_answer, refusing_with
from vqa_tui.config.validation import nearest
from vqa_tui.domain.plain_json import plain
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_events import event_line
from vqa_tui.operations.runs import list_runs
from vqa_tui.operations.training_document import training_document
from vqa_tui.operations.training_streams import log_stream, metric_stream
from vqa_tui.operations.trainings import kept_checkpoints, list_trainings, training_events, training_summary
from vqa_tui.operations.workspace import Workspace
from vqa_tui.process.spawn import reap_children
from vqa_tui.safe_text import clean

JOBS = "/api/v1/training/jobs"
# SQLite's ids have 63 bits; a longer number names nothing.
_ONE = JOBS + r"/{id:[0-9]{1,18}}"
_TRUTH = {"true": True, "false": False}


class Jobs:
    """Answers requests about one workspace."""

    def __init__(self, workspace: Workspace, actions: Actions, *, allow_outside: bool) -> None:
        self._workspace, self._actions, self._anywhere = workspace, actions, allow_outside
        self._gauges = Gauges(workspace)
        self._unhurried = Unhurried()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Say which address leads where."""
        router.add_get("/openapi.json", self._openapi)
        router.add_get("/metrics", self._metrics_of_all)
        router.add_get("/api/v1/runs", self._runs)
        router.add_get(JOBS, self._list)
        router.add_post(JOBS, self._start)
        router.add_get(_ONE, self._show)
        router.add_delete(_ONE, self._delete)
        router.add_post(_ONE + "/{verb:stop|cancel|resume}", self._steer)
        router.add_get(_ONE + "/log", self._log, allow_head=False)
        router.add_get(_ONE + "/metrics", self._metrics, allow_head=False)

    async def finish(self) -> None:
        """Wait for what was begun."""
        await self._unhurried.finish()

    async def _openapi(self, request: web.Request) -> web.StreamResponse:
        return json_answer(document())

    async def _metrics_of_all(self, request: web.Request) -> web.StreamResponse:
        body = await self._gauges.exposition()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4, **GUARDED})

    async def _runs(self, request: web.Request) -> web.StreamResponse:
        reap_children()
        return json_answer({"runs": await list_runs(self._workspace)})

    async def _list(self, request: web.Request) -> web.StreamResponse:
        reap_children()
        return json_answer({"jobs": [_summary(each) for each in await list_trainings(self._workspace)]})

    async def _start(self, request: web.Request) -> web.StreamResponse:
        asked = await _asked(request)
        workspace = self._workspace
        job = job_of(asked, workspace.paths, allow_outside=self._anywhere)
        if any(each.name == asked.name for each in await list_trainings(workspace)):
            raise Refused(409, f"there is a training named {asked.name} already", "Give another name.")
        started = await self._unhurried.end(self._actions.start(workspace, asked, job))
        summary = await training_summary(workspace, started.id)
        answer = {**_summary(summary), "data": plain(started.data), "command": started.command}
        return json_answer(answer, status=201, headers={"Location": f"{JOBS}/{started.id}"})

    async def _show(self, request: web.Request) -> web.StreamResponse:
        found = await self._found(request)
        told = await training_events(self._workspace, found.id)
        folder = self._workspace.paths.training_folder(found.id)
        kept = await asyncio.to_thread(kept_checkpoints, folder)
        return json_answer(training_document(found, told.events, str(folder), kept))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        found = await self._found(request)
        with refusing_with(409):
            await self._unhurried.end(self._actions.delete(self._workspace, found.id))
        return web.Response(status=204, headers=GUARDED)

    async def _steer(self, request: web.Request) -> web.StreamResponse:
        found = await self._found(request)
        act = {"stop": self._actions.stop, "cancel": self._actions.cancel, "resume": self._actions.resume}
        with refusing_with(409):
            await self._unhurried.end(act[request.match_info["verb"]](self._workspace, found.id))
        return json_answer(_summary(await self._found(request)), status=202)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        follow, found = _follow(request), await self._found(request)
        pieces = log_stream(self._workspace, found.id, follow=follow)
        # Each state of a progress bar is a line of its own: a lone CR would overwrite what stands there.
        lines = (clean(piece.replace("\r\n", "\n").replace("\r", "\n")) async for piece in pieces)
        return await send(request, "text/plain; charset=utf-8", lines)

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        follow, found = _follow(request), await self._found(request)
        told = metric_stream(self._workspace, found.id, follow=follow)
        lines = ("".join(f"{event_line(event)}\n" for event in events) async for events in told)
        return await send(request, "application/x-ndjson", lines)

    async def _found(self, request: web.Request) -> TrainingSummary:
        reap_children()
        with refusing_with(404):
            return await training_summary(self._workspace, int(request.match_info["id"]))


async def _asked(request: web.Request) -> JobRequest:
    if request.content_type != "application/json":
        raise Refused(415, "the body must be JSON", "Send `Content-Type: application/json`.")
    body = await request.read()
    try:
        return read_request(body)
    except ValueError as error:
        raise Refused(400, f"the body is no JSON: {error}") from error


def _follow(request: web.Request) -> bool:
    """Return whether a stream goes on. Raises Refused for a word that is none, so that a slip does not wait forever."""
    for key in request.query:
        if key != "follow":
            close = " Did you mean `follow`?" if nearest(key, ["follow"]) else ""
            raise Refused(422, f"there is no parameter {key!r}", f"Known: follow.{close}")
    asked = request.query.getall("follow", ["true"])
    if len(asked) != 1 or asked[0] not in _TRUTH:
        raise Refused(422, "follow: must be true or false, once")
    return _TRUTH[asked[0]]


def _summary(training: TrainingSummary) -> dict[str, Any]:
    return {**plain(training), "is_lost": training.is_lost}
