"""The locks on devices hold in all workspaces of a person, and lie in a folder that nobody else may enter."""

from pathlib import Path

import pytest

from tests.process.conftest import Hall
from vqa_tui import paths
from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.training import TrainingPhase
from vqa_tui.operations.training_start import stop_training
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.process.devices import take, take_one


async def test_a_training_waits_for_one_of_another_workspace(hall: Hall, tmp_path: Path) -> None:
    first = await hall.make("first")
    working = hall.supervise(first, "waits")
    await hall.reaches(first, lambda each: each.step > 0)
    async with open_workspace(tmp_path / "elsewhere") as workspace:
        other = Hall(workspace)
        assert take(workspace.paths, ["cpu"], 1) is None
        with pytest.raises(VqaError, match=f"cpu is taken by the training {first} of {hall.workspace.paths.root}"):
            take_one(workspace.paths, ["cpu"], "us", hint="")
        second = await other.make("second")
        waiting = other.supervise(second)
        words = f"waits for its turn on cpu: cpu is taken by the training {first} of {hall.workspace.paths.root}"
        await other.reaches(second, lambda each: each.waits and each.reason == words)
        await stop_training(hall.workspace, first)
        assert await working == 0
        assert await waiting == 0


def test_the_folder_is_the_persons_own_and_the_same_in_every_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("VQA_LOCKS")
    for name in ("TMPDIR", "TMP", "TEMP"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    assert paths.device_lock("gpu 0") == Path("/tmp/vqa-tui-4711/device-gpu-0.lock")


@pytest.mark.parametrize("kind", ["open", "link", "file", "another's"])
async def test_a_folder_that_others_may_enter_is_refused(
    hall: Hall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path / "locks"
    monkeypatch.setenv("VQA_LOCKS", str(folder))
    if kind == "file":
        folder.touch()
    elif kind == "link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "theirs")
    else:
        folder.mkdir(mode=0o700)
    if kind == "open":
        folder.chmod(0o755)
    number = await hall.make("a")
    if kind == "another's":
        monkeypatch.setattr("vqa_tui.process.devices.os.geteuid", lambda: 4711)
    with pytest.raises(VqaError, match=f"^{folder}: the locks on devices"):
        take(hall.workspace.paths, ["cpu"], 1)
    assert await hall.supervise(number) == 1
    found = await hall.summary(number)
    assert found.phase is TrainingPhase.FAILED and str(folder) in found.reason
