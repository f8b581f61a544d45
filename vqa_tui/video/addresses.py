"""Files at addresses (s3://, gs:// and whatever else fsspec knows): opening, looking, writing."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from vqa_tui.domain.failure import VqaError

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://.+", re.DOTALL)
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}
"""The extra of this program that brings what fsspec needs for a scheme."""
_BLOCK = 4 * 1024 * 1024
"""Bytes that are asked for at a time: a clip is small against its video."""


def is_address(text: str) -> bool:
    """Tell whether a text is an address with a scheme, such as `s3://bucket/key`."""
    return _SCHEME.fullmatch(text) is not None


def check_address(address: str) -> None:
    """Make sure that files at such an address can be reached at all.

    Raises VqaError where the scheme is unknown, or what it needs is not installed (naming the extra).
    """
    _file_system(address)


@contextmanager
def opened_address(address: str) -> Iterator[BinaryIO]:
    """Open the file at an address for reading; it seeks, and only what is read is fetched. Raises OSError, VqaError."""
    with _calls(address):
        stream = _file_system(address).open(_path(address), "rb", block_size=_BLOCK)
    with stream:
        yield cast(BinaryIO, stream)


def exists_at(address: str) -> bool:
    """Tell whether there is a file at an address. Raises OSError, VqaError."""
    with _calls(address):
        return bool(_file_system(address).isfile(_path(address)))


def write_to(address: str, file: Path) -> None:
    """Copy a file of this machine to an address. Raises OSError, VqaError."""
    with _calls(address):
        system = _file_system(address)
        folder = _path(address).rpartition("/")[0]
        if folder:
            system.makedirs(folder, exist_ok=True)
        system.put_file(str(file), _path(address))


def joined(address: str, name: str) -> str:
    """Return the address of `name` in the folder at `address`."""
    return f"{address.rstrip('/')}/{name}"


@contextmanager
def _calls(address: str) -> Iterator[None]:
    """Turn whatever a file system raises into an OSError with its words: each has errors of its own."""
    try:
        yield
    except (VqaError, OSError):
        raise
    except Exception as error:  # botocore, gcsfs and aiohttp raise types that share nothing but this
        raise OSError(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error


def _path(address: str) -> str:
    return str(_file_system(address)._strip_protocol(address))


def _file_system(address: str) -> Any:
    scheme = address.partition("://")[0].lower()
    extra = _EXTRAS.get(scheme)
    hint = f"Install the extra: pip install 'vqa-tui[{extra}]'." if extra else "Install fsspec and what it asks for."
    try:
        import fsspec
    except ImportError as error:
        raise VqaError(f"addresses such as {scheme}:// need fsspec, which is not installed", hint=hint) from error
    try:
        return fsspec.filesystem(scheme)
    except ImportError as error:
        raise VqaError(f"{scheme}:// cannot be reached: {error}", hint=hint) from error
    except ValueError as error:
        raise VqaError(f"`{scheme}://` is no scheme that fsspec knows", hint="Use s3://, gs:// or a folder.") from error
    except Exception as error:  # credentials are looked for here, and each file system has errors of its own
        raise VqaError(
            f"{scheme}:// cannot be used: {' '.join(str(error).split())[:300]}",
            hint="Check the credentials that its own tools use (AWS_PROFILE, GOOGLE_APPLICATION_CREDENTIALS …).",
        ) from error
