"""On which type of file system a folder lies, and whether SQLite's locks can be trusted there."""

from pathlib import Path

_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "ceph", "glusterfs"}
)


def file_system_of(path: Path, mounts: str | None = None) -> str:
    """Return the type of the file system that holds `path` (from /proc/mounts), or '' where that is unknown."""
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""
    resolved, best, kind = str(path.resolve()), "", ""
    for line in mounts.splitlines():
        fields = line.split()
        if len(fields) < 3:
            continue
        mount = fields[1].replace("\\040", " ")
        inside = resolved == mount or resolved.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, fields[2]
    return kind


def is_network_file_system(kind: str) -> bool:
    """Tell whether a type of file system, as of `file_system_of`, is one where SQLite's locks cannot be trusted."""
    return kind in _NETWORK_FILE_SYSTEMS
