"""Bringing files to a dataset repository on the Hub; what is there already is not sent again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from vqa_tui.domain.failure import VqaError
from vqa_tui.hub.client import PATIENCE_S, TOKEN_VARIABLE, api, endpoint, hub_errors, library, token
from vqa_tui.hub.download import fetch, list_files

CARD = "README.md"
_FILES_PER_COMMIT = 500


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file to be brought: its POSIX path in the repository, where it lies, and its size in bytes."""

    name: str
    path: Path
    bytes: int


def require_token() -> None:
    """Raise VqaError when the environment holds no token: nobody may write to the Hub without."""
    if not token():
        raise VqaError(
            f"an upload needs a token, and {TOKEN_VARIABLE} is not set",
            hint=f"Make one with the right to write at {endpoint()}/settings/tokens and set the variable to it.",
        )


def make_repository(repo_id: str, *, private: bool) -> bool:
    """Make the dataset repository, or take the one that is there; return whether it is private, as that may have been.

    Raises VqaError when one is there that everybody can see and `private` is wanted, and as `hub_errors` does.
    """
    with hub_errors(repo_id):
        hub = api()
        hub.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True)
        is_private = bool(hub.dataset_info(repo_id, timeout=PATIENCE_S).private)
    if private and not is_private:
        raise VqaError(
            f"the dataset {repo_id} is there already, and everybody can see it",
            hint="Say --public (seen by everybody) if they may see this too, or name another one.",
        )
    return is_private


def content_there(repo_id: str, name: str) -> bytes | None:
    """Return a small file that a repository has, None where it has none. Raises as `hub_errors` does."""
    with hub_errors(repo_id):
        names = [each.rfilename for each in api().dataset_info(repo_id, timeout=PATIENCE_S).siblings or ()]
    if name not in names:
        return None
    (file,) = list_files(repo_id, (name,)).files
    with TemporaryDirectory(prefix="vqa-text-") as folder:
        return fetch(file, Path(folder), lambda _size: None).read_bytes()


def upload_files(
    repo_id: str, files: Sequence[UploadFile], texts: Mapping[str, bytes], *, message: str, done: Callable[[int], None]
) -> str:
    """Commit `files` in the order given, and `texts` with the last of them; return the address of the dataset.

    `texts` are files by name that lie nowhere, such as the card. `done` is told how many files are there after each
    commit. What is broken off goes on with the same call: large contents that the Hub has are not sent again. Raises as
    `hub_errors` does, and OSError.
    """
    hub = library()
    chunks = [files[at : at + _FILES_PER_COMMIT] for at in range(0, len(files), _FILES_PER_COMMIT)] or [[]]
    sent = 0
    for number, chunk in enumerate(chunks, 1):
        operations = [hub.CommitOperationAdd(path_in_repo=file.name, path_or_fileobj=str(file.path)) for file in chunk]
        if number == len(chunks):
            operations += [hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=texts[name]) for name in texts]
        part = f" ({number} of {len(chunks)})" if len(chunks) > 1 else ""
        with hub_errors(repo_id):
            api().create_commit(repo_id, operations, repo_type="dataset", commit_message=message + part)
        sent += len(chunk)
        done(sent)
    return f"{endpoint()}/datasets/{repo_id}"
