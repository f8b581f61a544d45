"""Parquet files of a dataset on the Hub, read piece by piece where they lie."""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.hub.client import PATIENCE_S, endpoint, hub_errors, library, token
from vqa_tui.hub.download import HubFile, list_files

CONVERTED = "refs/convert/parquet"
"""The revision in which the Hub keeps each dataset that it can read as parquet files."""
_ID = re.compile(r"(?:hf:/{1,2})?(?:datasets/)?([\w][\w.-]*/[\w][\w.-]*?)(?:@([\w./-]+))?", re.ASCII)
_BUFFER = 1 << 20
_TRIES = 3
"""For one part of a file whose connection is cut while it comes."""


def dataset_id(given: str) -> tuple[str, str | None] | None:
    """Return id and revision of `OWNER/NAME`, `OWNER/NAME@REVISION` or the same after `hf://`; None for other text."""
    match = _ID.fullmatch(given)
    return (match[1], match[2]) if match else None


@dataclass(frozen=True, slots=True)
class HubTableFile:
    """One parquet file at one commit."""

    file: HubFile

    @property
    def name(self) -> str:
        return self.file.name

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open it for reading; each piece that is read is asked for by itself, and that raises as `hub_errors`."""
        with io.BufferedReader(_Ranges(self.file), _BUFFER) as stream:
            yield cast(BinaryIO, stream)


def table_files(repo_id: str, revision: str | None = None) -> tuple[HubTableFile, ...]:
    """Return the parquet files of a dataset: its own, or those that the Hub made of it.

    Raises VqaError when there are neither, and as `hub_errors` does.
    """
    try:
        listing = list_files(repo_id, ("*.parquet",), revision)
    except VqaError as error:
        if revision is not None or not error.message.startswith(f"the dataset {repo_id} holds no file"):
            raise
        try:
            listing = list_files(repo_id, ("*.parquet",), CONVERTED)
        except WorkFailed:
            raise
        except VqaError as missing:
            raise VqaError(
                f"the dataset {repo_id} has no parquet files, and the Hub has made none of it",
                hint="Download it and import the folder as what it is.",
            ) from missing
    return tuple(HubTableFile(file) for file in listing.files)


class _Cut(Exception):
    """A connection that ended while a part of a file came over it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class _Ranges(io.RawIOBase):
    """A file of the Hub that asks for the bytes that are read, and for nothing else."""

    def __init__(self, file: HubFile) -> None:
        self._repo_id, self._size, self._at = file.repo_id, file.bytes, 0
        hub: Any = library()
        self._utils = hub.utils
        self._url = hub.hf_hub_url(
            file.repo_id, file.name, repo_type="dataset", revision=file.commit, endpoint=endpoint()
        )
        self._headers = {**hub.utils.build_hf_headers(token=token()), "Accept-Encoding": "identity"}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        headers = {**self._headers, "Range": f"bytes={self._at}-{self._at + wanted - 1}"}
        with hub_errors(self._repo_id):
            for tries_left in reversed(range(_TRIES)):
                try:
                    content = self._part(headers, wanted)
                    break
                except _Cut as cut:
                    if not tries_left:
                        raise cut.error from cut
        buffer[:wanted] = content
        self._at += wanted
        return wanted

    def _part(self, headers: Mapping[str, str], wanted: int) -> bytes:
        """Return the `wanted` bytes that `headers` ask for, and read no more than these. Raises _Cut."""
        import httpx2

        content = bytearray()
        with self._utils.http_stream_backoff("GET", self._url, headers=headers, timeout=PATIENCE_S) as response:
            self._utils.hf_raise_for_status(response)
            if response.status_code != HTTPStatus.PARTIAL_CONTENT and wanted < self._size:
                raise VqaError(
                    f"{urlsplit(self._url).netloc} sends whole files where a part of one is asked for",
                    hint="Set HF_ENDPOINT to another mirror, or download the dataset and import the folder.",
                )
            try:
                for piece in response.iter_raw(_BUFFER):
                    content += piece
                    if len(content) > wanted:
                        break
            except httpx2.TransportError as error:
                # The backoff would take it for its own and yield a second time.
                raise _Cut(error) from error
        if len(content) != wanted:
            raise WorkFailed("the Hub sent another part of a file than was asked for", hint="Do it again later.")
        return bytes(content)
