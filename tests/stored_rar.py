"""RAR 4 archives whose files are stored as they are, to be read by the real programs (format: RAR technote 4)."""

import struct
import zlib
from pathlib import Path

_MARK = b"Rar!\x1a\x07\x00"
_MS_DOS_TIME = 0x5A21_6000
_UNIX = 3


def write_rar(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    """Write an archive of `files` and of symbolic `links` by name; names go in as they are, but for the slashes, which
    RAR 4 stores as backslashes on every system. Return `path`."""
    parts = [_MARK, _block(0x73, 0, b"\0" * 6)]
    parts += [_file(name, data, 0o100644) for name, data in files.items()]
    parts += [_file(name, target.encode(), 0o120777) for name, target in (links or {}).items()]
    path.write_bytes(b"".join([*parts, _block(0x7B, 0x4000, b"")]))
    return path


def _file(name: str, data: bytes, mode: int) -> bytes:
    encoded = name.replace("/", "\\").encode()
    head = struct.pack(
        "<IIBIIBBHI", len(data), len(data), _UNIX, zlib.crc32(data), _MS_DOS_TIME, 20, 0x30, len(encoded), mode
    )
    return _block(0x74, 0x8000, head + encoded) + data


def _block(kind: int, flags: int, rest: bytes) -> bytes:
    body = struct.pack("<BHH", kind, flags, 7 + len(rest)) + rest
    return struct.pack("<H", zlib.crc32(body) & 0xFFFF) + body
