"""What this machine has, what it lacks, and what to do about it. Looks only: nothing is created, asked or changed."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from vqa_tui.config.endpoint import Endpoint
from vqa_tui.config.load import list_endpoints, load_endpoint
from vqa_tui.config.secrets import MissingKey, resolve_key
from vqa_tui.domain.failure import VqaError
from vqa_tui.endpoints.picture_cache import bytes_kept
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.file_system import file_system_of, is_network_file_system
from vqa_tui.store.health import OLDEST_SQLITE, damage_of, schema_of, sqlite_version
from vqa_tui.store.migrating import schema_steps

OLDEST_PYTHON = (3, 11)
_LEAST_FREE_BYTES = 500_000_000
_REQUIREMENT = re.compile(
    r"""(?P<wanted>(?P<name>[A-Za-z0-9._-]+)[^;]*)(?:;.*extra\s*==\s*['"](?P<extra>[\w-]+)['"])?"""
)
_NOT_FOR_USERS = "dev"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    topic: str
    name: str
    ok: bool
    needed: bool
    """Whether nothing works without it; else only a part of the product does."""
    found: str
    advice: str = ""
    """What to do when it is not ok."""


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """What a face knows of its terminal."""

    is_terminal: bool
    columns: int
    lines: int
    encoding: str


def examine(paths: WorkspacePaths, environ: Mapping[str, str], terminal: TerminalFacts) -> list[Check]:
    """Return every check in the order in which a person reads them. Values of keys never occur in it."""
    return [
        *_python(),
        *_packages(),
        *_workspace(paths),
        *_terminal(environ, terminal),
        *_keys(paths, environ),
        *_programs(),
    ]


def _python() -> Iterator[Check]:
    found = ".".join(str(part) for part in sys.version_info[:3])
    wanted = ".".join(str(part) for part in OLDEST_PYTHON)
    yield Check(
        "python", "Python", sys.version_info >= OLDEST_PYTHON, True, f"{found}, {sys.executable}", f"Install {wanted}."
    )
    version = sqlite_version()
    yield Check(
        "python",
        "SQLite",
        version >= OLDEST_SQLITE,
        True,
        ".".join(str(part) for part in version),
        f"Version {'.'.join(str(part) for part in OLDEST_SQLITE)} or newer is needed; it comes with Python.",
    )


def _packages() -> Iterator[Check]:
    try:
        requirements = metadata.requires("vqa-tui") or []
    except metadata.PackageNotFoundError:
        yield Check("packages", "vqa-tui", False, True, "not installed", "Run `pip install -e .` in its folder.")
        return
    by_extra: dict[str, dict[str, str]] = {}
    for requirement in requirements:
        if (match := _REQUIREMENT.match(requirement)) and match["name"].lower() != "vqa-tui":
            by_extra.setdefault(match["extra"] or "", {})[match["name"]] = match["wanted"].strip()
    for extra, wanted in by_extra.items():
        if extra == _NOT_FOR_USERS:
            continue
        versions = {name: _version(name) for name in wanted}
        missing = [name for name, version in versions.items() if version is None]
        yield Check(
            "packages",
            f"extra {extra}" if extra else "core",
            not missing,
            not extra,
            f"missing: {', '.join(missing)}" if missing else _listed(versions),
            # Package by package: the name of this product in an index need not be this product.
            f"Run: python -m pip install {' '.join(shlex.quote(wanted[name]) for name in missing)}" if missing else "",
        )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _listed(versions: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _workspace(paths: WorkspacePaths) -> Iterator[Check]:
    root = paths.root
    there = next(folder for folder in (root, *root.parents) if folder.is_dir())
    state = "there" if there == root else "not made yet"
    writable = os.access(there, os.W_OK | os.X_OK)
    yield Check(
        "workspace",
        "folder",
        writable,
        True,
        f"{root} ({state})" if writable else f"{there} cannot be written to",
        "Choose another with --workspace DIR or $VQA_WORKSPACE.",
    )
    kind = file_system_of(there)
    yield Check(
        "workspace",
        "disk",
        not is_network_file_system(kind),
        True,
        kind or "unknown file system",
        "SQLite's locks cannot be trusted on a network file system; choose a folder on a local disk.",
    )
    free = shutil.disk_usage(there).free
    yield Check(
        "workspace",
        "free space",
        free >= _LEAST_FREE_BYTES,
        False,
        f"{free / 1e9:.1f} GB",
        "Replies of a large run take some gigabytes; make room or choose another disk.",
    )
    if paths.picture_cache.is_dir():
        yield _pictures(paths.picture_cache)
    if paths.database.exists():
        yield _schema(paths.database)


def _pictures(cache: Path) -> Check:
    try:
        found = f"{bytes_kept(cache) / 1e6:.1f} MB of prepared pictures; {cache} may be deleted at any time"
    except OSError as error:
        return Check("workspace", "picture cache", False, False, f"unreadable: {error}", "Delete the folder.")
    return Check("workspace", "picture cache", True, False, found)


def _schema(database: Path) -> Check:
    newest = max(version for version, _name, _sql in schema_steps())
    try:
        found, damage = schema_of(database), damage_of(database)
    except OSError as error:
        damage = str(error)
    if damage:
        words = f"unreadable: {damage.splitlines()[-1]}"
        return Check("workspace", "database", False, True, words, "Copies lie in `backups` beside it, if any.")
    return Check(
        "workspace",
        "database",
        found <= newest,
        True,
        f"schema {found}" + (f", will be brought to {newest}" if found < newest else ""),
        f"It was written by a newer version; this one knows schema {newest}. Upgrade vqa-tui.",
    )


def _terminal(environ: Mapping[str, str], terminal: TerminalFacts) -> Iterator[Check]:
    yield Check(
        "terminal",
        "terminal",
        terminal.is_terminal,
        False,
        f"{environ.get('TERM', 'TERM is not set')}" if terminal.is_terminal else "output is not a terminal",
        "The terminal app needs one; all other commands work without.",
    )
    yield Check(
        "terminal",
        "size",
        terminal.columns >= 80 and terminal.lines >= 24,
        False,
        f"{terminal.columns} × {terminal.lines}",
        "80 × 24 is the least that the terminal app is made for.",
    )
    colours = environ.get("COLORTERM", "")
    yield Check(
        "terminal",
        "colours",
        colours in ("truecolor", "24bit") and "NO_COLOR" not in environ,
        False,
        "NO_COLOR is set" if "NO_COLOR" in environ else f"COLORTERM={colours}" if colours else "COLORTERM is not set",
        "Pictures look best with `export COLORTERM=truecolor`, if the terminal can.",
    )
    utf8 = terminal.encoding.lower().replace("-", "") == "utf8"
    yield Check("terminal", "encoding", utf8, False, terminal.encoding, "Use a UTF-8 locale for frames and bars.")
    multiplexer = "tmux" if environ.get("TMUX") else "screen" if environ.get("STY") else ""
    if multiplexer:
        yield Check("terminal", "multiplexer", True, False, f"{multiplexer}: pictures are drawn as half blocks")


def _keys(paths: WorkspacePaths, environ: Mapping[str, str]) -> Iterator[Check]:
    for file in list_endpoints(paths.endpoint_folders):
        try:
            endpoint = load_endpoint(file.name, folders=paths.endpoint_folders)
        except VqaError as error:
            yield Check("endpoints", file.name, False, False, error.message, error.hint or "Mend the file.")
            continue
        missing = missing_keys(endpoint, environ)
        names = ", ".join(key.name for key in endpoint.keys)
        yield Check(
            "endpoints",
            endpoint.name,
            not missing,
            False,
            f"without a value: {', '.join(missing)}" if missing else f"keys: {names}",
            "; ".join(missing.values()),
        )


def missing_keys(endpoint: Endpoint, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of an endpoint that have no value, each with the reason in words."""
    found = (resolve_key(key, endpoint, environ) for key in endpoint.keys)
    return {each.name: each.reason for each in found if isinstance(each, MissingKey)}


def _programs() -> Iterator[Check]:
    path = shutil.which("ffmpeg")
    yield Check("programs", "ffmpeg", path is not None, False, path or "not found", "Only video needs it.")
