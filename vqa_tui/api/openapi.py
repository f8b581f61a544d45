"""The API described for programs: OpenAPI 3.1, with the shapes taken from the classes that are sent and read."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from vqa_tui import __version__
from vqa_tui.api.job_request import JobRequest
from vqa_tui.domain.run import RunSummary
from vqa_tui.domain.training import TrainingSummary
from vqa_tui.domain.training_events import Answered, Ended, LeftOut, Looked, Saved, Saving, Started, Stepped
from vqa_tui.operations.training_data import TrainingData

_REF = "#/components/schemas/"
_JSON = "application/json"
_EXAMPLE = {
    "name": "my-vision-model",
    "base_model": "Qwen/Qwen2.5-VL-3B-Instruct",
    "dataset_path": "./data/vision_dataset.jsonl",
    "output_dir": "./models/my-vision-model",
    "is_vision": True,
    "model_type": "vision",
    "hyperparameters": {
        "learning_rate": 0.00002,
        "num_epochs": 3,
        "batch_size": 1,
        "gradient_accumulation_steps": 8,
        "max_steps": -1,
    },
    "lora_config": {"r": 16, "lora_alpha": 16},
}
_WHY = {
    400: "The body is no JSON.",
    401: "The token is missing or wrong.",
    403: "The request calls this computer by a name that is not its own.",
    404: "There is no such training.",
    409: "The training is not in a state for that, or its name is taken.",
    413: "The body is too large.",
    415: "The body is not said to be JSON.",
    422: "Something asked for is not known, does not fit together, or is not there.",
    500: "An error of vqa-tui itself.",
    503: "The request is right, and this machine cannot do it: a package, a disk or a lock stands in the way.",
}
_ALWAYS = (401, 403, 500, 503)


class _AsSent(GenerateJsonSchema):
    """Dollars are sent as numbers."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": "number"}


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document; it is the same as long as the program is."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vqa-tui jobs API",
            "version": __version__,
            "description": "Trainings started, steered and followed. Errors are `{error: {message, hint}}`.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


def _paths() -> dict[str, Any]:
    jobs, one = "/api/v1/training/jobs", "/api/v1/training/jobs/{id}"
    number = {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "maximum": 999_999_999_999_999},
    }
    follow = {
        "name": "follow",
        "in": "query",
        "description": "Whether the answer goes on until the training ends, or holds only what is there.",
        "schema": {"type": "boolean", "default": True},
    }
    body = {"required": True, "content": {_JSON: {"schema": _ref("JobRequest"), "example": _EXAMPLE}}}
    started = _answer("It is started, or waits for its device.", "StartedJob")
    started["headers"] = {"Location": {"description": "Address of the training.", "schema": {"type": "string"}}}
    started["links"] = {
        name: {"operationId": operation, "parameters": {"id": "$response.body#/id"}}
        for name, operation in (
            ("show", "show_job"), ("stop", "stop_job"), ("cancel", "cancel_job"), ("resume", "resume_job"),
            ("log", "job_log"), ("metrics", "job_metrics"), ("delete", "delete_job"),
        )
    }  # fmt: skip
    verbs = {
        "stop": "Let it finish its step, write a checkpoint and end",
        "cancel": "End it at once; what came after its last checkpoint is lost",
        "resume": "Let it go on from its newest whole checkpoint",
    }
    paths: dict[str, Any] = {
        "/openapi.json": {
            "get": _operation("openapi", "This document", {200: {"description": "It.", "content": {_JSON: {}}}})
        },
        "/metrics": {
            "get": _operation(
                "metrics", "Trainings and runs as Prometheus reads them", {200: _text("text/plain; version=0.0.4")}
            )
        },
        "/api/v1/runs": {"get": _operation("list_runs", "Runs, newest first", {200: _answer("The runs.", "Runs")})},
        jobs: {
            "get": _operation("list_jobs", "Trainings, newest first", {200: _answer("The trainings.", "Jobs")}),
            "post": _operation(
                "start_job", "Start a training", {201: started}, errors=(400, 409, 413, 415, 422), requestBody=body
            ),
        },
        one: {
            "parameters": [number],
            "get": _operation("show_job", "One training", {200: _answer("It.", "JobDetail")}, errors=(404,)),
            "delete": _operation(
                "delete_job",
                "Delete a training that is not at work, with its checkpoints, its adapter and its log",
                {204: {"description": "It is deleted."}},
                errors=(404, 409),
            ),
        },
    }
    for verb, summary in verbs.items():
        said = {202: _answer("It was told so; this is how it stands.", "Job")}
        paths[f"{one}/{verb}"] = {
            "parameters": [number],
            "post": _operation(f"{verb}_job", summary, said, errors=(404, 409)),
        }
    for name, summary, kind in (
        ("log", "Its log, cleaned of what could act on a terminal", "text/plain"),
        ("metrics", "What it tells of itself, one JSON object a line", "application/x-ndjson"),
    ):
        operation = _operation(f"job_{name}", summary, {200: _text(kind)}, errors=(404, 422), parameters=[follow])
        paths[f"{one}/{name}"] = {"parameters": [number], "get": operation}
    return paths


def _operation(
    name: str, summary: str, answers: dict[int, Any], *, errors: Sequence[int] = (), **more: Any
) -> dict[str, Any]:
    told = {each: {**_answer(_WHY[each], "Error")} for each in sorted({*errors, *_ALWAYS})}
    responses = {str(status): each for status, each in {**answers, **told}.items()}
    return {"operationId": name, "summary": summary, **more, "responses": responses}


def _answer(description: str, shape: str) -> dict[str, Any]:
    return {"description": description, "content": {_JSON: {"schema": _ref(shape)}}}


def _text(kind: str) -> dict[str, Any]:
    return {"description": "Text.", "content": {kind: {"schema": {"type": "string"}}}}


def _ref(shape: str) -> dict[str, str]:
    return {"$ref": f"{_REF}{shape}"}


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for kind in (
        RunSummary,
        TrainingSummary,
        TrainingData,
        Started,
        Stepped,
        Looked,
        Answered,
        Saved,
        Saving,
        LeftOut,
        Ended,
    ):
        schemas |= _described(kind, "serialization")
    schemas |= _described(JobRequest, "validation")
    text = {"type": "string"}
    error = _object({"message": text, "hint": text})
    lost = _object({"is_lost": {"type": "boolean", "description": "Whether its process ought to be there and is not."}})
    newest = {"started": "Started", "last_step": "Stepped", "last_eval": "Looked", "end": "Ended"}
    lists = {"checkpoints": "Saved", "left_out": "LeftOut", "samples": "Answered"}
    detail = {
        "folder": text,
        **{key: {"anyOf": [_ref(kind), {"type": "null"}]} for key, kind in newest.items()},
        **{key: {"type": "array", "items": _ref(kind)} for key, kind in lists.items()},
    }
    start = {"data": _ref("TrainingData"), "command": {"type": "array", "items": text}}
    return {
        **schemas,
        "Error": _object({"error": error}),
        "Job": {"allOf": [_ref("TrainingSummary"), lost]},
        "JobDetail": {"allOf": [_ref("Job"), _object(detail)]},
        "StartedJob": {"allOf": [_ref("Job"), _object(start)]},
        "Jobs": _object({"jobs": {"type": "array", "items": _ref("Job")}}),
        "Runs": _object({"runs": {"type": "array", "items": _ref("RunSummary")}}),
    }


def _described(kind: type[Any], mode: Any) -> dict[str, Any]:
    """Return the schema of a class and those it names, each by its name."""
    schema = TypeAdapter(kind).json_schema(mode=mode, ref_template=_REF + "{model}", schema_generator=_AsSent)
    inner: dict[str, Any] = schema.pop("$defs", {})
    return {**inner, kind.__name__: _without_decimals(schema)}


def _without_decimals(value: Any) -> Any:
    """Return a schema whose defaults JSON knows."""
    if isinstance(value, dict):
        return {key: _without_decimals(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_decimals(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
