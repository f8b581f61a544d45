"""`dataset download` against a stand-in of the Hub: the real client, whole files only, and each error in words."""

import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.hub.conftest import TOKEN
from tests.hub_stand_in import HubStandIn, Repo
from tests.stored_rar import write_rar
from vqa_tui.cli.main import app
from vqa_tui.hub.unpacking import TOOLS

RAD = "flaviagiammarino/vqa-rad"
STCRAY = "Naoufel555/STCray-Dataset"
PARQUET = "data/train-00000-of-00001.parquet"
PATIENCE_S = 60.0
MIB = 1 << 20


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "gray").save(stream, "PNG")
    return stream.getvalue()


def rad_rows() -> bytes:
    rows = [{"image": {"bytes": picture(), "path": None}, "question": "is this a test?", "answer": "yes"}]
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), stream)
    return stream.getvalue()


@pytest.fixture
def rad(hub: HubStandIn) -> Repo:
    hub.repos[RAD] = Repo({"README.md": b"a card", PARQUET: rad_rows()})
    return hub.repos[RAD]


def typed(folder: Path, *arguments: str) -> Result:
    """Run `dataset download` in this process; it must not break."""
    words = ["dataset", "download", *arguments, "--workspace", str(folder)]
    result = CliRunner().invoke(app, words, prog_name="vqa-tui")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def said(folder: Path, code: int, *arguments: str) -> str:
    """Run one that must end with `code`; return its complaint as one line."""
    result = typed(folder, *arguments)
    assert result.exit_code == code, result.output
    return " ".join(result.stderr.split())


def test_vqa_rad_is_downloaded_and_imported_and_the_second_time_nothing_comes(
    tmp_path: Path, hub: HubStandIn, rad: Repo
) -> None:
    result = typed(tmp_path, "vqa-rad", str(tmp_path / "rad"), "--import")
    assert result.exit_code == 0, result.output
    assert f"vqa-rad: 1 file of {RAD}" in result.stdout and "rad: 1 added" in result.stdout
    assert (tmp_path / "rad" / PARQUET).read_bytes() == rad.files[PARQUET]
    assert sorted(path.name for path in (tmp_path / "rad/data").iterdir()) == [Path(PARQUET).name]
    sent = hub.sent_bytes
    result = typed(tmp_path, "vqa-rad", str(tmp_path / "rad"), "--import")
    assert result.exit_code == 0 and hub.sent_bytes == sent
    assert "rad: 0 added, 1 unchanged" in result.stdout


def test_a_download_that_is_killed_goes_on_where_it_was(tmp_path: Path, hub: HubStandIn, rad: Repo) -> None:
    content = random.Random(1).randbytes(32 * MIB)
    rad.files[PARQUET] = content
    hub.stops_after = 25 * MIB
    folder = tmp_path / "rad"
    command = [sys.executable, "-P", "-m", "vqa_tui", "dataset", "download", "vqa-rad", str(folder)]
    first = subprocess.Popen(command, cwd=tmp_path, env=os.environ, stderr=subprocess.PIPE)
    assert hub.stopped.wait(PATIENCE_S)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=PATIENCE_S)
    (part,) = (folder / "data").iterdir()
    kept = part.stat().st_size
    assert part.name.startswith(".") and kept >= 10 * MIB
    hub.stops_after, before = None, hub.sent_bytes
    done = subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert "were there before" in done.stdout
    assert hub.asked[-1].span == f"bytes={kept}-" and hub.sent_bytes - before <= len(content) - kept + MIB
    assert hashlib.sha256((folder / PARQUET).read_bytes()).digest() == hashlib.sha256(content).digest()


def test_other_content_than_the_hub_tells_of_is_never_kept(tmp_path: Path, hub: HubStandIn, rad: Repo) -> None:
    hub.spoils = True
    assert "its hash differs" in said(tmp_path, 1, "vqa-rad", str(tmp_path / "rad"))
    assert list((tmp_path / "rad/data").iterdir()) == []
    hub.spoils = False
    assert typed(tmp_path, "vqa-rad", str(tmp_path / "rad")).exit_code == 0


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path, rad: Repo) -> None:
    (tmp_path / "rad/data").mkdir(parents=True)
    (tmp_path / "rad" / PARQUET).write_text("mine")
    assert "is in the way" in said(tmp_path, 2, "vqa-rad", str(tmp_path / "rad"))
    assert (tmp_path / "rad" / PARQUET).read_text() == "mine"


def test_the_token_of_the_environment_opens_what_is_private_and_stays_secret(
    tmp_path: Path, hub: HubStandIn, rad: Repo, monkeypatch: pytest.MonkeyPatch, empty_home: Path
) -> None:
    rad.token = TOKEN
    folder = str(tmp_path / "rad")
    assert "knows no dataset" in said(tmp_path, 2, "vqa-rad", folder)
    assert not [each for each in hub.asked if each.authorization]
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    result = typed(tmp_path, "vqa-rad", folder)
    assert result.exit_code == 0 and TOKEN not in result.output
    written = [path for top in (tmp_path, empty_home) for path in top.rglob("*") if path.is_file()]
    assert not [path for path in written if TOKEN.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, 2, "knows no dataset"),
        (403, 2, "lets nobody without a token"),
        (404, 2, "knows no dataset"),
        (429, 1, "asked too often"),
        (500, 1, "has an error of its own (500)"),
    ],
)
def test_each_refusal_is_one_line_and_what_to_do(
    tmp_path: Path, hub: HubStandIn, rad: Repo, status: int, code: int, words: str
) -> None:
    hub.status = status
    complaint = said(tmp_path, code, "vqa-rad", str(tmp_path / "rad"))
    assert words in complaint and "Traceback" not in complaint


def test_a_refused_token_is_named_by_its_variable_only(
    tmp_path: Path, hub: HubStandIn, rad: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for status in (401, 403, 500):
        hub.status = status
        complaint = said(tmp_path, 1 if status == 500 else 2, "vqa-rad", str(tmp_path / "rad"))
        assert TOKEN not in complaint and (status == 500 or "HF_TOKEN" in complaint)


def test_a_gated_dataset_says_where_to_ask(tmp_path: Path, hub: HubStandIn, rad: Repo) -> None:
    rad.gated = True
    complaint = said(tmp_path, 2, "vqa-rad", str(tmp_path / "rad"))
    assert "is gated" in complaint and f"{hub.url}/datasets/{RAD}" in complaint


def test_no_network_is_no_fault_of_the_input(tmp_path: Path, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "the connection to 127.0.0.1:9 failed" in said(tmp_path, 1, "vqa-rad", str(tmp_path / "rad"))


def test_unknown_names_and_revisions_are_refused(tmp_path: Path, rad: Repo) -> None:
    assert "Known are stcray, vqa-rad" in said(tmp_path, 2, "vqarad")
    assert "no such revision" in said(tmp_path, 2, "vqa-rad", str(tmp_path / "rad"), "--revision", "v9")
    del rad.files[PARQUET]
    assert "holds no file *.parquet" in said(tmp_path, 2, "vqa-rad", str(tmp_path / "rad"))


def test_a_full_disk_is_said_before_and_while_it_comes(
    tmp_path: Path, rad: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(shutil.disk_usage(tmp_path))
    with monkeypatch.context() as little:
        little.setattr(shutil, "disk_usage", lambda _folder: usage(100, 90, 10))
        assert "are to come, and the disk of" in said(tmp_path, 1, "vqa-rad", str(tmp_path / "rad"))
    # /dev/full takes the place of the half file: every write to it fails as on a full disk.
    with monkeypatch.context() as full:
        full.setattr("vqa_tui.hub.download.part_of", lambda _file, _folder: Path("/dev/full"))
        assert "the disk is full" in said(tmp_path, 1, "vqa-rad", str(tmp_path / "rad"))


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, rad: Repo) -> None:
    rad.files["../evil.parquet"] = b"x"
    assert "outside its folder" in said(tmp_path, 2, "vqa-rad", str(tmp_path / "rad"))
    assert not (tmp_path / "rad").exists()


def test_stcray_without_a_program_for_its_archives_loads_nothing(
    tmp_path: Path, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos[STCRAY] = Repo({"STCray_TestSet.rar": b"Rar!"})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "unrar, unar, bsdtar" in said(tmp_path, 2, "stcray", str(tmp_path / "stcray"))
    assert hub.sent_bytes == 0


@pytest.mark.skipif(not any(shutil.which(name) for name in TOOLS), reason=f"none of {', '.join(TOOLS)} is on PATH")
def test_stcray_is_unpacked_and_imported(tmp_path: Path, hub: HubStandIn) -> None:
    repo = hub.repos[STCRAY] = Repo({"README.md": b"a card"})
    for part in ("Train", "Test"):
        files = {f"STCray_{part}Set/Images/Class 10_Battery/a{part}.png": picture()}
        archive = write_rar(tmp_path / "made.rar", files)
        repo.files[f"STCray_{part}Set.rar"] = archive.read_bytes()
    result = typed(tmp_path, "stcray", str(tmp_path / "stcray"), "--import")
    assert result.exit_code == 0, result.output
    assert "stcray: 2 files of" in result.stdout and "stcray: 2 added" in result.stdout
    sent = hub.sent_bytes
    (tmp_path / "stcray/STCray_TrainSet.rar").unlink()
    result = typed(tmp_path, "stcray", str(tmp_path / "stcray"), "--import")
    assert "everything is there already" in result.stdout and hub.sent_bytes == sent
