"""`dataset import hf`: rows that are read at the Hub, and their pictures kept once each."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.hub_stand_in import HubStandIn, Repo
from vqa_tui.cli.main import app
from vqa_tui.hub.streaming import dataset_id


def picture(colour: str) -> dict[str, Any]:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(stream, "PNG")
    return {"bytes": stream.getvalue(), "path": None}


def parquet(rows: Sequence[dict[str, Any]], row_group_size: int = 100) -> bytes:
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), stream, row_group_size=row_group_size)
    return stream.getvalue()


@pytest.fixture
def pets(hub: HubStandIn) -> Repo:
    """Two pictures in three rows of two splits, with columns whose names say nothing."""
    train = [{"foto": picture("teal"), "was": "What is it?", "das": "A cat"}]
    train += [{"foto": picture("teal"), "was": "Where?", "das": "There"}]
    test = [{"foto": picture("navy"), "was": "What is it?", "das": "A dog"}]
    files = {"data/train-00000-of-00001.parquet": parquet(train), "data/test-00000-of-00001.parquet": parquet(test)}
    hub.repos["some/pets"] = Repo({"README.md": b"", **files})
    return hub.repos["some/pets"]


MAPPED = ("--map", "picture=foto", "--map", "question=was", "--map", "answer=das")


def typed(folder: Path, *arguments: str) -> Result:
    """Run one command on the workspace in `folder`; it must not break."""
    result = CliRunner().invoke(app, [*arguments, "--workspace", str(folder)], prog_name="vqa-tui")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def items(folder: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(typed(folder, "dataset", "items", name, "--json").stdout)
    return found


def test_a_dataset_is_imported_by_its_name_and_again_without_change(tmp_path: Path, pets: Repo) -> None:
    command = ("dataset", "import", "hf", "some/pets", *MAPPED)
    result = typed(tmp_path, *command)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("pets: 2 added, 0 unchanged, 0 updated, 0 with problems")
    assert typed(tmp_path, *command).stdout.startswith("pets: 0 added, 2 unchanged")
    found = {
        item["split"]: [asked["answer"] for asked in item["truth"]["questions"]] for item in items(tmp_path, "pets")
    }
    assert found == {"train": ["A cat", "There"], "test": ["A dog"]}
    kept = sorted((tmp_path / ".vqa/pictures/some--pets/vqa_pictures").iterdir())
    assert len(kept) == 2 and kept[0].suffix == ".png"
    (view,) = json.loads(typed(tmp_path, "dataset", "list", "--json").stdout)
    assert view["source"] == "hf://some/pets"
    again = typed(tmp_path, "dataset", "import", "hf", "hf://some/pets", *MAPPED, "--name", "pets")
    assert again.stdout.startswith("pets: 0 added, 2 unchanged"), again.output


def test_with_a_limit_only_what_is_needed_comes(tmp_path: Path, hub: HubStandIn) -> None:
    noise = [Image.effect_noise((300, 300), 60 + each) for each in range(60)]
    rows = []
    for each in noise:
        stream = io.BytesIO()
        each.save(stream, "PNG")
        rows.append({"image": {"bytes": stream.getvalue(), "path": None}})
    content = parquet(rows, row_group_size=4)
    hub.repos["some/noise"] = Repo({"train.parquet": content})
    result = typed(tmp_path, "dataset", "import", "hf", "some/noise", "--limit", "2", "--images", str(tmp_path / "p"))
    assert result.stdout.startswith("noise: 2 added"), result.output
    assert (tmp_path / "p/vqa_pictures").is_dir()
    assert all(each.span for each in hub.asked if "/resolve/" in each.path)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path, pets: Repo) -> None:
    result = typed(tmp_path, "dataset", "import", "hf", "some/pets", "--map", "picture=photo")
    assert result.exit_code == 2 and "has no column `photo`" in result.stderr and "foto, was, das" in result.stderr
    result = typed(tmp_path, "dataset", "import", "hf", "some/pets")
    assert result.exit_code == 2 and "no column is known to hold the picture" in result.stderr


def test_what_the_hub_converted_is_read_where_there_is_no_parquet(tmp_path: Path, hub: HubStandIn) -> None:
    hub.repos["some/folder"] = Repo({"train/a.png": b"", "README.md": b""})
    result = typed(tmp_path, "dataset", "import", "hf", "some/folder")
    assert result.exit_code == 2 and "the Hub has made none of it" in result.stderr
    hub.converted["some/folder"] = {"default/train/0000.parquet": parquet([{"image": picture("red")}])}
    assert typed(tmp_path, "dataset", "import", "hf", "some/folder").stdout.startswith("folder: 1 added")


def test_a_local_folder_is_read_where_it_lies(tmp_path: Path, hub: HubStandIn) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local/train.parquet").write_bytes(parquet([{"image": picture("red")}]))
    result = typed(tmp_path, "dataset", "import", "hf", str(tmp_path / "local"))
    assert result.stdout.startswith("local: 1 added"), result.output
    assert hub.asked == []


def test_a_spoiled_file_and_a_cut_are_told_apart(tmp_path: Path, hub: HubStandIn, pets: Repo) -> None:
    name = "data/train-00000-of-00001.parquet"
    pets.files[name] = pets.files[name][:-8] + b"x" * 8
    result = typed(tmp_path, "dataset", "import", "hf", "some/pets", *MAPPED)
    assert result.exit_code == 2 and f"{name} cannot be read as a parquet file" in result.stderr, result.output
    hub.status = 403
    result = typed(tmp_path, "dataset", "import", "hf", "some/pets", *MAPPED)
    assert result.exit_code == 2 and "(403)" in result.stderr


def test_a_mirror_that_sends_whole_files_is_refused_without_reading_them(tmp_path: Path, hub: HubStandIn) -> None:
    noise = io.BytesIO()
    Image.effect_noise((3000, 3000), 60).save(noise, "PNG")
    hub.repos["some/noise"] = Repo({"train.parquet": parquet([{"image": {"bytes": noise.getvalue(), "path": None}}])})
    hub.knows_parts = False
    result = typed(tmp_path, "dataset", "import", "hf", "some/noise")
    assert result.exit_code == 2 and "sends whole files" in result.stderr, result.output
    assert "HF_ENDPOINT" in result.stderr


def test_a_part_that_is_cut_is_asked_for_again(tmp_path: Path, hub: HubStandIn, pets: Repo) -> None:
    hub.cuts = 2
    result = typed(tmp_path, "dataset", "import", "hf", "some/pets", *MAPPED)
    assert result.stdout.startswith("pets: 2 added"), result.output
    hub.cuts = 1000
    result = typed(tmp_path, "dataset", "import", "hf", "some/pets", *MAPPED, "--name", "more")
    assert result.exit_code == 1 and "failed or was cut" in result.stderr, result.output


def test_what_is_neither_path_nor_name_is_refused(tmp_path: Path, hub: HubStandIn) -> None:
    for given in ("pets", "some/pets/more", "../some"):
        result = typed(tmp_path, "dataset", "import", "hf", given)
        assert result.exit_code == 2 and "OWNER/NAME" in result.stderr, result.output
    result = typed(tmp_path, "dataset", "import", "hf", "some/absent")
    assert result.exit_code == 2 and "knows no dataset some/absent" in result.stderr
    assert not list((tmp_path / ".vqa").glob("pictures/*/*"))


def test_names_of_datasets() -> None:
    for given in ("a/b", "hf://a/b", "hf:/a/b", "datasets/a/b"):
        assert dataset_id(given) == ("a/b", None)
    assert dataset_id("a/b@refs/convert/parquet") == ("a/b", "refs/convert/parquet")
    assert dataset_id("/a/b") is None and dataset_id("a") is None
