"""`vqa-tui simulate`: the embedded endpoint by hand, to rehearse quotas, slowness and trouble with any client."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from vqa_tui.domain.failure import VqaError

if TYPE_CHECKING:
    from vqa_tui.config.endpoint import EmbeddedSettings
    from vqa_tui.embedded.server import EmbeddedEndpoint

_REPORT_EVERY_S = 5.0
_OPTION_OF_SETTING = {
    "latency_ms": "--latency",
    "latency_spread": "--latency-spread",
    "requests_per_minute": "--rpm",
    "requests_per_minute_by_key": "--rpm-key",
    "tokens_per_minute": "--tpm",
    "tokens_per_minute_by_key": "--tpm-key",
    "rate_limits_told": "--limits-told",
}


def simulate(
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="P", help="Port on loopback; 0 takes a free one.")] = 0,
    latency: Annotated[float, typer.Option(min=0, metavar="MS", help="Mean time to answer, in milliseconds.")] = 200,
    latency_spread: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="Each answer takes the mean give or take this share.")
    ] = 0.3,
    rpm: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Requests per minute of each key; beyond it, 429.")
    ] = None,
    rpm_key: Annotated[
        list[str] | None, typer.Option(metavar="NAME=N", help="Requests per minute of one of --keys; may be repeated.")
    ] = None,
    tpm: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Tokens per minute of each key; beyond it, 429.")
    ] = None,
    tpm_key: Annotated[
        list[str] | None, typer.Option(metavar="NAME=N", help="Tokens per minute of one of --keys; may be repeated.")
    ] = None,
    limits_told: Annotated[
        str,
        typer.Option(metavar="HOW", help="How limits are told: openai (headers), gemini (the body of a 429), nothing."),
    ] = "openai",
    fail: Annotated[
        str,
        typer.Option(
            metavar="KIND=SHARE,…",
            help="Share of requests that go wrong: 500, 503, reset, truncated, bad_json, refused, empty, timeout, "
            "drip, huge.",
        ),
    ] = "",
    keys: Annotated[
        str, typer.Option(metavar="A,B", help="Names of the accepted keys, sent as embedded-A …; none accepts any.")
    ] = "",
    bad_keys: Annotated[str, typer.Option(metavar="A,B", help="Which of --keys are refused with 401.")] = "",
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same answers and faults.")] = 0,
) -> None:
    """Serve the built-in OpenAI-compatible endpoint until Ctrl+C.

    It has no model: it measures each picture, reads the ground truth in the prompt and answers from those two.
    """
    import asyncio

    from pydantic import ValidationError

    from vqa_tui.config.endpoint import EmbeddedSettings
    from vqa_tui.embedded.faults import parse_faults

    key_names, bad_names = _names(keys, "--keys"), _names(bad_keys, "--bad-keys")
    requests, tokens = _limits_by_key(rpm_key or [], "--rpm-key"), _limits_by_key(tpm_key or [], "--tpm-key")
    named = {"--bad-keys": bad_names, "--rpm-key": tuple(requests), "--tpm-key": tuple(tokens)}
    _refuse_unknown_keys(key_names, named)
    try:
        settings = EmbeddedSettings(
            latency_ms=latency,
            latency_spread=latency_spread,
            requests_per_minute=rpm,
            requests_per_minute_by_key=requests,
            tokens_per_minute=tpm,
            tokens_per_minute_by_key=tokens,
            rate_limits_told=limits_told,
            bad_keys=bad_names,
            fail=parse_faults(fail),
            seed=seed,
        )
    except ValidationError as error:
        first = error.errors()[0]
        option = _OPTION_OF_SETTING.get(str(first["loc"][0]), str(first["loc"][0]))
        raise VqaError(f"{option}: {first['msg'].replace('Input should', 'should')}") from None
    asyncio.run(_serve(settings, key_names, port))


async def _serve(settings: "EmbeddedSettings", key_names: Sequence[str], port: int) -> None:
    """Serve until SIGINT or SIGTERM; ending a server so is its normal end, so the exit code stays 0."""
    import asyncio
    import signal
    import sys

    from vqa_tui.embedded.server import EmbeddedEndpoint

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with EmbeddedEndpoint(settings, key_names=key_names, port=port) as endpoint:
        typer.echo(f"{endpoint.base_url}\n\n{_endpoint_hint(endpoint, key_names)}\n\nCtrl+C ends it.")
        sys.stdout.flush()
        reporter = asyncio.create_task(_report(endpoint)) if sys.stdout.isatty() else None
        await stopped.wait()
        if reporter is not None:
            reporter.cancel()
    typer.echo(_counts(endpoint))


async def _report(endpoint: "EmbeddedEndpoint") -> None:
    """Print the counts every few seconds while something happens."""
    import asyncio

    shown = 0
    while True:
        await asyncio.sleep(_REPORT_EVERY_S)
        if endpoint.ledger.requests != shown:
            shown = endpoint.ledger.requests
            typer.echo(_counts(endpoint))


def _counts(endpoint: "EmbeddedEndpoint") -> str:
    ledger = endpoint.ledger
    counts = {
        "requests": ledger.requests,
        "answered": ledger.answered,
        "rate limited": ledger.rate_limited,
        "unauthorized": ledger.unauthorized,
        "rejected": ledger.rejected,
        "abandoned": ledger.abandoned,
    }
    shown = [f"{count} {name}" for name, count in counts.items() if count or name in ("requests", "answered")]
    shown += [f"{count} {fault}" for fault, count in sorted(ledger.faults.items())]
    return ", ".join(shown)


def _endpoint_hint(endpoint: "EmbeddedEndpoint", key_names: Sequence[str]) -> str:
    """Return an endpoint file for this server, with the values of its keys as shell lines."""
    names = key_names or ("main",)
    variables = {name: f"SIMULATED_KEY_{''.join(c if c.isalnum() else '_' for c in name).upper()}" for name in names}
    keys = [f"  - {{name: {name}, env: {variable}}}" for name, variable in variables.items()]
    exports = [f"export {variable}=embedded-{name}" for name, variable in variables.items()]
    lines = [
        "# Save as simulated.yaml and name it with --endpoint simulated.yaml:",
        "name: simulated",
        f"base_url: {endpoint.base_url}",
        f"model: {endpoint.model}",
        "keys:",
        *keys,
        f"image_tokens: {{rule: {endpoint.image_tokens.rule}}}",
        "",
        "# Key values, for the shell that starts the run:",
        *exports,
    ]
    return "\n".join(lines)


def _names(text: str, option: str) -> tuple[str, ...]:
    from vqa_tui.embedded.keys import is_key_name

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if not is_key_name(name):
            raise VqaError(
                f"{option}: {name!r} cannot be the name of a key",
                hint="Use letters, digits, dots and dashes.",
            )
        if names.count(name) > 1:
            raise VqaError(f"{option}: {name} is given twice", hint="Give each key once.")
    return names


def _refuse_unknown_keys(known: Sequence[str], named: Mapping[str, Sequence[str]]) -> None:
    """Refuse options that speak of a key which --keys does not name: they would have no effect."""
    for option, names in named.items():
        if unknown := [name for name in names if name not in known]:
            raise VqaError(
                f"{option}: there is no key {unknown[0]}",
                hint=f"Name every key with --keys, as in --keys {','.join([*(known or ['main']), *unknown])}.",
            )


def _limits_by_key(entries: Sequence[str], option: str) -> dict[str, int]:
    limits: dict[str, int] = {}
    for entry in entries:
        name, _, limit = entry.partition("=")
        if not (name.strip() and limit.strip().isdecimal() and int(limit) >= 1):
            raise VqaError(f"{option}: {entry!r} is not NAME=N", hint=f"For example {option} a=60.")
        if name.strip() in limits:
            raise VqaError(f"{option}: {name.strip()} is given twice", hint="Give each key one limit.")
        limits[name.strip()] = int(limit)
    return limits
