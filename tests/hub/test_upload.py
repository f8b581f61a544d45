"""`upload` against a stand-in of the Hub: the real client, a card, and nothing that should stay here."""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Place, end_engines
from tests.hub.conftest import TOKEN
from tests.hub_stand_in import HubStandIn, Repo
from vqa_tui.demo.dataset import draw_demo_dataset
from vqa_tui.exporters.manifest import read_manifest
from vqa_tui.operations.dataset_card import dataset_card

REPO = "me/scans"
LICENSE = ("--license", "cc-by-4.0")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four drawn pictures and a workspace with the finished run `first` about them, to be copied."""
    folder = tmp_path_factory.mktemp("finished")
    draw_demo_dataset(folder / "drawn", 4)
    place = Place(folder)
    place.ok("dataset", "import", "stcray", str(folder / "drawn/annotations.json"), "--name", "scans")
    place.ok("run", "start", "scans", "--recipe", "stcray", "--endpoint", "embedded", "--name", "first", "--yes")
    asyncio.run(end_engines(folder))
    return folder


@pytest.fixture
def finished(tmp_path: Path, made_once: Path) -> Iterator[Place]:
    """A workspace of its own with the finished run `first` about four pictures."""
    shutil.copytree(made_once / ".vqa", tmp_path / ".vqa")
    yield Place(tmp_path)
    asyncio.run(end_engines(tmp_path))


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, hub: HubStandIn) -> HubStandIn:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return hub


def front_matter(card: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(card.split("---\n")[1])
    return found


def test_an_export_goes_up_whole_private_and_with_a_card(
    finished: Place, signed_in: HubStandIn, tmp_path: Path, made_once: Path
) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out), "--split", "0.75/0.25", "--pictures", "copy")
    said = finished.ok("upload", str(out), REPO, *LICENSE)
    assert "datasets/me/scans (private)" in said and TOKEN not in said
    repo = signed_in.repos[REPO]
    assert repo.private is True
    sent = {name for name in repo.files if name != "README.md"}
    assert sent == {path.relative_to(out.parent).as_posix() for path in out.parent.rglob("*") if path.is_file()}
    for name in sent:
        assert repo.files[name] == (out.parent / name).read_bytes()
    card = repo.files["README.md"].decode()
    head = front_matter(card)
    assert head["license"] == "cc-by-4.0"
    assert head["configs"] == [
        {
            "config_name": "default",
            "data_files": [
                {"split": "train", "path": ["train.train.jsonl"]},
                {"split": "validation", "path": ["train.val.jsonl"]},
            ],
        }
    ]
    manifest = read_manifest(out.with_name("train.jsonl.manifest.json"))
    assert f"{manifest.pairs:,} question-answer pairs about 4 pictures" in card
    assert manifest.run.model in card and manifest.run.recipe_sha256 in card
    assert str(tmp_path) not in card and str(made_once) not in card
    # The same again sends no content twice.
    puts = [each for each in signed_in.asked if each.method == "PUT"]
    finished.ok("upload", str(out), REPO, *LICENSE)
    assert [each for each in signed_in.asked if each.method == "PUT"] == puts


def test_a_run_is_exported_and_uploaded(finished: Place, signed_in: HubStandIn) -> None:
    said = finished.ok("upload", "first", REPO, *LICENSE, "--format", "sharegpt", "--public")
    assert "everybody can see it" in said
    repo = signed_in.repos[REPO]
    assert repo.private is False
    records = json.loads(repo.files["sharegpt.json"])
    assert {record["images"][0] for record in records} <= set(repo.files)
    assert json.loads(repo.files["dataset_info.json"])["sharegpt"]["file_name"] == "sharegpt.json"


def test_the_registry_of_a_repository_keeps_its_other_entries(
    finished: Place, signed_in: HubStandIn, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        out = tmp_path / name / f"{name}.json"
        finished.ok("export", "first", "sharegpt", str(out), "--pictures", "copy")
        # What else stands in the folder is not the repository's.
        info = json.loads(out.with_name("dataset_info.json").read_text())
        out.with_name("dataset_info.json").write_text(json.dumps(info | {"secret": {"file_name": "secret.json"}}))
        assert "dataset_info.json" in finished.ok("upload", str(out), REPO, *LICENSE, "--dry-run")
        finished.ok("upload", str(out), REPO, *LICENSE)
    known = json.loads(signed_in.repos[REPO].files["dataset_info.json"])
    assert {name: entry["file_name"] for name, entry in known.items()} == {"one": "one.json", "two": "two.json"}
    assert known["one"]["formatting"] == "sharegpt"
    half = b'{"half \\ud800": {"file_name": "\\ud800.json"}}'
    signed_in.repos[REPO].files["dataset_info.json"] = half
    finished.ok("upload", str(out), REPO, *LICENSE)
    assert {"half \ud800", "two"} == set(json.loads(signed_in.repos[REPO].files["dataset_info.json"]))
    for foreign in (b"[1]", '{"schön": {"file_name": "schön.json"}}'.encode("latin-1"), b'{"\xed\xa0\x80": {}}'):
        signed_in.repos[REPO].files["dataset_info.json"] = foreign
        assert "dataset_info.json of me/scans is in the way" in finished.refused("upload", str(out), REPO, *LICENSE)
        assert signed_in.repos[REPO].files["dataset_info.json"] == foreign


def test_shards_go_up_and_the_card_names_each(finished: Place, signed_in: HubStandIn, tmp_path: Path) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok(
        "export", "first", "qwen", str(out), "--split", "0.5/0.25/0.25", "--shard-size", "3", "--pictures", "copy"
    )
    manifest = read_manifest(out.with_name("train.jsonl.manifest.json"))
    names = [file.name for file in manifest.files]
    assert len(names) >= 4 and not out.exists()
    finished.ok("upload", str(out), REPO, *LICENSE)
    repo = signed_in.repos[REPO]
    assert set(names) <= set(repo.files)
    data_files = [
        {"split": split, "path": [file.name for file in manifest.files if file.part == part]}
        for part, split in (("train", "train"), ("val", "validation"), ("test", "test"))
    ]
    card = repo.files["README.md"].decode()
    assert front_matter(card)["configs"] == [{"config_name": "default", "data_files": data_files}]
    assert "Split 0.5 to 0.25 to 0.25 by the hashes" in card
    # A single shard names the whole export as well.
    plan = json.loads(finished.ok("upload", str(out.with_name(names[0])), REPO, *LICENSE, "--dry-run", "--json"))
    assert set(names) <= {file["name"] for file in plan["files"]}


def test_a_dry_run_lists_everything_and_asks_nobody(finished: Place, hub: HubStandIn, tmp_path: Path) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out), "--pictures", "copy")
    said = finished.ok("upload", str(out), REPO, *LICENSE, "--dry-run")
    assert "train.jsonl.manifest.json" in said and "README.md" in said and "nothing was sent" in said
    assert len(re.findall(r"train\.pictures/", said)) == 4
    assert hub.asked == []
    plan = json.loads(finished.ok("upload", str(out), REPO, *LICENSE, "--dry-run", "--json"))
    assert len(plan["files"]) == 6 and plan["card"].startswith("---")


def test_what_is_missing_is_said_before_anything_is_sent(finished: Place, hub: HubStandIn, tmp_path: Path) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out), "--pictures", "copy")
    assert "HF_TOKEN is not set" in finished.refused("upload", str(out), REPO, *LICENSE)
    assert "needs a licence" in finished.refused("upload", str(out), REPO, "--dry-run")
    assert "does not name a licence" in finished.refused("upload", str(out), REPO, "--dry-run", "--license", "a b: c")
    assert "OWNER/NAME" in finished.refused("upload", str(out), "scans", *LICENSE, "--dry-run")
    assert "OWNER/NAME" in finished.refused("upload", str(out), "a/b/c", *LICENSE, "--dry-run")
    assert "no export" in finished.refused("upload", str(tmp_path / "no.jsonl"), REPO, *LICENSE, "--dry-run")
    assert "there is no run" in finished.refused("upload", "secnd", REPO, *LICENSE, "--dry-run")
    assert hub.asked == []


def test_what_was_changed_since_is_not_uploaded(finished: Place, signed_in: HubStandIn, tmp_path: Path) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out), "--pictures", "copy")
    out.write_bytes(out.read_bytes() + b"\n")
    assert "was changed since" in finished.refused("upload", str(out), REPO, *LICENSE)
    assert REPO not in signed_in.repos


def test_pictures_outside_are_refused_unless_said(finished: Place, signed_in: HubStandIn, tmp_path: Path) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out))
    assert "--pictures copy" in finished.refused("upload", str(out), REPO, *LICENSE)
    shutil.rmtree(out.parent)
    finished.ok("export", "first", "qwen", str(out), "--pictures", "copy")
    picture = next(path for path in out.parent.rglob("*") if path.suffix in (".jpg", ".png"))
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"something else")
    picture.unlink()
    picture.symlink_to(secret)
    assert "leads out of the folder" in finished.refused("upload", str(out), REPO, *LICENSE)
    assert REPO not in signed_in.repos
    finished.ok("upload", str(out), REPO, *LICENSE, "--allow-outside")


def test_a_public_dataset_and_a_card_of_a_person_are_left_alone(
    finished: Place, signed_in: HubStandIn, tmp_path: Path
) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out), "--pictures", "copy")
    signed_in.repos[REPO] = Repo({"README.md": b"# My own words"}, private=False, token=TOKEN)
    assert "everybody can see it" in finished.refused("upload", str(out), REPO, *LICENSE)
    assert set(signed_in.repos[REPO].files) == {"README.md"}
    finished.ok("upload", str(out), REPO, *LICENSE, "--public")
    assert signed_in.repos[REPO].files["README.md"] == b"# My own words"


def test_a_private_dataset_that_is_there_stays_private_and_that_is_said(
    finished: Place, signed_in: HubStandIn, tmp_path: Path
) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out), "--pictures", "copy")
    signed_in.repos[REPO] = Repo(private=True, token=TOKEN)
    said = finished.ok("upload", str(out), REPO, *LICENSE, "--public")
    assert "(private)" in said and "everybody can see it" not in said
    assert json.loads(finished.ok("upload", str(out), REPO, *LICENSE, "--public", "--json"))["private"] is True


def test_a_token_that_may_not_write_is_told_by_its_variable(
    finished: Place, signed_in: HubStandIn, tmp_path: Path
) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out), "--pictures", "copy")
    signed_in.status = 403
    said = finished.refused("upload", str(out), REPO, *LICENSE)
    assert "HF_TOKEN" in said and "(403)" in said and TOKEN not in said


def test_hostile_names_do_nothing_in_a_card(finished: Place, tmp_path: Path) -> None:
    out = tmp_path / "set" / "train.jsonl"
    finished.ok("export", "first", "qwen", str(out))
    manifest = read_manifest(out.with_name("train.jsonl.manifest.json"))
    evil = "x`|<script>alert(1)</script>\n---\nlicense: mit\x1b[31m ![](http://evil)"
    run = manifest.run.model_copy(update={"dataset": evil, "model": evil, "recipe": evil, "endpoint": evil})
    hostile = manifest.model_copy(update={"run": run, "question_types": {evil: 3}})
    card = dataset_card(hostile, license="other", features={evil: "text"}, pictures=0)
    assert front_matter(card)["license"] == "other"
    assert "\x1b" not in card and card.count("\n---\n") == 1
    outside_code = re.sub(r"`[^`\n]*`", "", card)
    assert "<script" not in outside_code and "](" not in outside_code
