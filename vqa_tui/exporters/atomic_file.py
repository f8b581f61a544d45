"""Files that appear whole or not at all."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path


class AtomicFile:
    """A file being written beside its destination under a hidden name; `commit` moves it there in one step."""

    def __init__(self, path: Path) -> None:
        """Create the hidden file in the folder of `path`, so that the final rename stays on one file system."""
        self.path = path
        self.size = 0
        self._hidden = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
        self._digest = hashlib.sha256()
        self._file = open(self._hidden, "xb")  # noqa: SIM115 - closed by `seal` or `discard`

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far, as 64 hex digits."""
        return self._digest.hexdigest()

    @property
    def is_sealed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    def seal(self) -> None:
        """Bring everything to the disk; what can fail for lack of space fails here, before anything is replaced."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def commit(self) -> None:
        """Put the sealed file in its place, over whatever stands there."""
        os.replace(self._hidden, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Remove the hidden file if it is still there."""
        # On a full disk closing writes once more what was left over, and fails as writing did.
        with contextlib.suppress(OSError):
            self._file.close()
        self._hidden.unlink(missing_ok=True)
