"""What every part of the services holds: the workspace to read from, and the one to write to."""

from vqa_tui.operations.workspace import Workspace


class Door:
    """One topic of the services. Errors are VqaError."""

    def __init__(self, workspace: Workspace, writing: Workspace) -> None:
        self._workspace = workspace
        self._writing = writing
