"""RAR archives are unpacked whole by a real program, or refused; tests that need a program skip without one."""

import shutil
import stat
from pathlib import Path

import pytest

from tests.stored_rar import write_rar
from vqa_tui.domain.failure import VqaError, WorkFailed
from vqa_tui.hub import unpacking
from vqa_tui.hub.unpacking import TOOLS, unpack_rar

needs_tool = pytest.mark.skipif(
    not any(shutil.which(name) for name in TOOLS), reason=f"none of {', '.join(TOOLS)} is on PATH"
)


@pytest.fixture
def any_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that writes down that it was started; for archives of which none may ever be."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program = folder / "unrar"
    program.write_text(f"#!/bin/sh\n: > '{tmp_path / 'started'}'\nexit 3\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder))
    return tmp_path / "started"


@pytest.mark.parametrize("top", ["", "Set/"])
@pytest.mark.parametrize("tool", ["unrar", "unar", "bsdtar"])
def test_an_archive_becomes_one_folder_with_or_without_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str, top: str
) -> None:
    if not shutil.which(tool):
        pytest.skip(f"the program {tool} is not installed")
    monkeypatch.setattr(unpacking, "TOOLS", {tool: TOOLS[tool]})
    archive = write_rar(tmp_path / "Set.rar", {f"{top}Images/a.jpg": b"one", f"{top}Captions/a.txt": b"two"})
    unpack_rar(archive, tmp_path / "Set")
    assert (tmp_path / "Set/Images/a.jpg").read_bytes() == b"one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Set", "Set.rar"]


@needs_tool
def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    archive = write_rar(tmp_path / "Set.rar", {"a.txt": b"content " * 9})
    archive.write_bytes(archive.read_bytes().replace(b"content content", b"content CONTENT"))
    with pytest.raises(WorkFailed, match=r"could not be unpacked|was not unpacked as it is listed"):
        unpack_rar(archive, tmp_path / "Set")
    assert [path.name for path in tmp_path.iterdir()] == ["Set.rar"]


@pytest.mark.parametrize("name", ["../outside.txt", "a/../../outside.txt", "/etc/outside", "C:/outside"])
def test_an_entry_that_leads_out_is_refused_before_any_program_starts(
    tmp_path: Path, any_tool: Path, name: str
) -> None:
    archive = write_rar(tmp_path / "Set.rar", {"good.txt": b"", name: b"bad"})
    with pytest.raises(VqaError, match="leads out of the folder"):
        unpack_rar(archive, tmp_path / "Set")
    assert not any_tool.exists() and not (tmp_path / "Set").exists()


def test_a_link_in_an_archive_is_refused(tmp_path: Path, any_tool: Path) -> None:
    archive = write_rar(tmp_path / "Set.rar", {"good.txt": b""}, {"way": "/etc"})
    with pytest.raises(VqaError, match="is a link"):
        unpack_rar(archive, tmp_path / "Set")
    assert not any_tool.exists()


def test_what_is_no_archive_is_said_so(tmp_path: Path, any_tool: Path) -> None:
    (tmp_path / "Set.rar").write_bytes(b"<html>Not found</html>")
    with pytest.raises(WorkFailed, match="cannot be read as a RAR archive"):
        unpack_rar(tmp_path / "Set.rar", tmp_path / "Set")


def test_a_program_that_fails_is_named_with_what_it_said(tmp_path: Path, any_tool: Path) -> None:
    with pytest.raises(WorkFailed, match="unrar: exit status 3"):
        unpack_rar(write_rar(tmp_path / "Set.rar", {"a.txt": b"a"}), tmp_path / "Set")
    assert any_tool.exists() and not (tmp_path / "Set").exists()


def test_without_a_program_the_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VqaError, match="unrar, unar, bsdtar"):
        unpack_rar(write_rar(tmp_path / "Set.rar", {"a.txt": b"a"}), tmp_path / "Set")
