"""Where things live on disk: the workspace, its runs, a person's settings, and what is shipped with the product."""

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

WORKSPACE_FOLDER = ".vqa"
WORKSPACE_VARIABLE = "VQA_WORKSPACE"
CONFIG_VARIABLE = "VQA_CONFIG"
LOCKS_VARIABLE = "VQA_LOCKS"


@dataclass(frozen=True, slots=True)
class WorkspacePaths:
    """The files of one workspace; `root` is the `.vqa` folder itself."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "vqa.db"

    @property
    def recipe_folders(self) -> tuple[Path, ...]:
        """Where a recipe is looked for by name: beside the workspace first, then what is shipped."""
        return (self.root.parent / "recipes", shipped_configs() / "recipes")

    @property
    def endpoint_folders(self) -> tuple[Path, ...]:
        """Where an endpoint is looked for by name: beside the workspace first, then what is shipped."""
        return (self.root.parent / "endpoints", shipped_configs() / "endpoints")

    @property
    def training_config_folders(self) -> tuple[Path, ...]:
        """Where a training configuration is looked for by name: beside the workspace first, then what is shipped."""
        return (self.root.parent / "trainings", shipped_configs())

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def picture_cache(self) -> Path:
        """Prepared pictures kept for later runs; it may be deleted at any time, also while engines run."""
        return self.root / "cache" / "pictures"

    @property
    def trainings(self) -> Path:
        return self.root / "trainings"

    def training_folder(self, training_id: int) -> Path:
        return self.trainings / str(training_id)

    def training_lock(self, training_id: int) -> Path:
        """Held by the supervisor of a training and by its trainer, or by who judges it: free when none lives."""
        return self.trainings / str(training_id) / "lock"

    def training_supervisor_lock(self, training_id: int) -> Path:
        """Held by the supervisor of a training alone: free while a trainer works on without it."""
        return self.trainings / str(training_id) / "supervisor.lock"

    def training_evaluator(self, training_id: int) -> Path:
        """Names the process that judges a training; there while it holds the training's lock."""
        return self.trainings / str(training_id) / "evaluator.json"

    def training_log(self, training_id: int) -> Path:
        return self.trainings / str(training_id) / "log"

    def training_serving(self, training_id: int) -> Path:
        """What the server of a tuned model writes: its log, its lock, and where it listens."""
        return self.trainings / str(training_id) / "serving"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    def run_folder(self, run_id: int) -> Path:
        return self.runs / str(run_id)

    def run_lock(self, run_id: int) -> Path:
        return self.run_folder(run_id) / "lock"

    def run_edit_lock(self, run_id: int) -> Path:
        """Held by whoever moves tasks of the run, together, and by whoever takes that back, alone."""
        return self.run_folder(run_id) / "edits"

    def run_log(self, run_id: int) -> Path:
        return self.run_folder(run_id) / "engine.log"

    def run_flight_journal(self, run_id: int) -> Path:
        return self.run_folder(run_id) / "inflight"


def find_workspace(explicit: Path | None = None, *, start: Path | None = None) -> WorkspacePaths:
    """Return the paths of the workspace: `explicit`, else `$VQA_WORKSPACE`, else the nearest `.vqa` upward from
    `start` (the current folder by default), else `.vqa` in `start`. Nothing is created.

    A given folder that is not itself named `.vqa` stands for the `.vqa` inside it.
    """
    given = explicit or (Path(os.environ[WORKSPACE_VARIABLE]) if os.environ.get(WORKSPACE_VARIABLE) else None)
    if given is not None:
        given = given.expanduser().absolute()
        return WorkspacePaths(given if given.name == WORKSPACE_FOLDER else given / WORKSPACE_FOLDER)
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / WORKSPACE_FOLDER).is_dir():
            return WorkspacePaths(folder / WORKSPACE_FOLDER)
    return WorkspacePaths(here / WORKSPACE_FOLDER)


def shipped_configs() -> Path:
    """Return the folder of shipped recipes and endpoints, in a checkout or in an installed wheel."""
    package = Path(str(files("vqa_tui")))
    installed = package / "configs"
    return installed if installed.is_dir() else package.parent / "configs"


def config_folder() -> Path:
    """Return the folder of a person's own settings: `$VQA_CONFIG`, else `vqa-tui` in `$XDG_CONFIG_HOME` or
    `~/.config`. Nothing is created."""
    if given := os.environ.get(CONFIG_VARIABLE):
        return Path(given).expanduser().absolute()
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "vqa-tui"


def device_locks() -> Path:
    """Return the folder of the locks on what trainings compute on, for all workspaces of a person: `$VQA_LOCKS`, else
    one in `/tmp`. Nothing is created.

    `$XDG_RUNTIME_DIR` goes with the last login, and a training does not; `$TMPDIR` differs from shell to shell.
    """
    if given := os.environ.get(LOCKS_VARIABLE):
        return Path(given).expanduser().absolute()
    return Path("/tmp") / f"vqa-tui-{os.geteuid()}"


def device_lock(device: str) -> Path:
    """Return the file that is held by whoever computes on `device`: a training, an evaluation, or a server."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in device)
    return device_locks() / f"device-{plain}.lock"
