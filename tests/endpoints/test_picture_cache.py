"""The cache of prepared pictures: what is kept, what comes back, its bound, and what it does when the disk fails."""

import logging
import multiprocessing
import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.endpoints.picture_cache import MOST_BYTES, PictureCache, bytes_allowed, bytes_kept
from vqa_tui.endpoints.pictures import PreparedPicture

PICTURE = PreparedPicture(b"\xff\xd8 not really a picture", "image/jpeg", 40, 30)


def key(number: int) -> str:
    """A key such as SHA-256 gives: spread over the folders."""
    return f"{number * 2654435761 % 2**32:08x}" + "0" * 56


def picture(number: int, size: int = 4_000) -> PreparedPicture:
    return PreparedPicture(number.to_bytes(4, "big") * (size // 4), "image/jpeg", number, 1)


def entry(folder: Path) -> Path:
    """Return the one entry that is in the cache."""
    (path,) = (path for path in folder.rglob("*") if path.is_file())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "pictures"


@pytest.fixture
def cache(folder: Path) -> PictureCache:
    return PictureCache(folder, 10**8)


@given(
    st.builds(
        PreparedPicture,
        st.binary(max_size=300),
        st.sampled_from(["image/jpeg", "image/png", "image/webp", "image/gif"]),
        st.integers(1, 2**32 - 1),
        st.integers(1, 2**32 - 1),
    )
)
def test_what_is_kept_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, kept: PreparedPicture) -> None:
    folder = tmp_path_factory.mktemp("cache")
    PictureCache(folder, 10**8).put(key(1), kept)
    assert PictureCache(folder, 10**8).get(key(1)) == kept
    assert PictureCache(folder, 10**8).get(key(2)) is None


def test_nothing_is_made_before_something_is_kept_and_then_only_its_owner_can_read_it(
    cache: PictureCache, folder: Path
) -> None:
    assert cache.get(key(1)) is None and bytes_kept(folder) == 0
    assert not folder.exists()
    cache.put(key(1), PICTURE)
    for path in (folder.parent, folder, entry(folder).parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry(folder).stat().st_mode) == 0o600
    assert bytes_kept(folder) == 4096


@given(st.data())
def test_an_entry_that_is_damaged_or_cut_short_is_removed_and_never_given_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    cache = PictureCache(folder, 10**8)
    cache.put(key(1), PICTURE)
    whole = entry(folder).read_bytes()
    if data.draw(st.booleans()):
        spoilt = whole[: data.draw(st.integers(0, len(whole) - 1))]
    else:
        place = data.draw(st.integers(0, len(whole) - 1))
        spoilt = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]) + whole[place + 1 :]
    entry(folder).write_bytes(spoilt)
    assert cache.get(key(1)) is None
    assert not any(path.is_file() for path in folder.rglob("*"))
    cache.put(key(1), PICTURE)
    assert cache.get(key(1)) == PICTURE


def test_the_bound_holds_whatever_is_put_in(folder: Path) -> None:
    bound = 64 * 4096
    cache = PictureCache(folder, bound)
    for number in range(400):
        cache.put(key(number), picture(number, 3_000))
        assert bytes_kept(folder) <= bound
    assert bytes_kept(folder) >= bound // 2
    assert cache.get(key(399)) == picture(399, 3_000)
    assert cache.get(key(0)) is None


def test_what_was_used_goes_last(folder: Path) -> None:
    cache = PictureCache(folder, 64 * 4096)
    for number in range(50):
        cache.put(key(number), picture(number, 3_000))
    long_ago = 1_000_000_000
    for path in folder.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    assert cache.get(key(7)) == picture(7, 3_000)
    for number in range(50, 80):
        cache.put(key(number), picture(number, 3_000))
    assert cache.get(key(7)) == picture(7, 3_000)
    assert sum(cache.get(key(number)) is not None for number in range(50)) < 40


def test_writing_walks_through_the_folder_only_now_and_then(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walks, scandir = list[int](), os.scandir

    def counted(descriptor: int) -> object:
        walks.append(os.fstat(descriptor).st_ino)
        return scandir(descriptor)

    cache = PictureCache(folder, 1024 * 4096)
    monkeypatch.setattr(os, "scandir", counted)
    for number in range(300):
        cache.put(key(number), picture(number, 3_000))
    assert 1 <= walks.count(folder.stat().st_ino) <= 5


def test_a_picture_that_would_fill_an_eighth_is_not_kept(folder: Path) -> None:
    PictureCache(folder, 80_000).put(key(1), picture(1, 20_000))
    PictureCache(folder, 0).put(key(1), PICTURE)
    assert not folder.exists()


def test_what_a_killed_engine_left_half_written_is_cleared_away_later(cache: PictureCache, folder: Path) -> None:
    cache.put(key(1), PICTURE)
    half, fresh = (entry(folder).with_name(f".new-{name}") for name in ("0123456789abcdef", "fedcba9876543210"))
    half.write_bytes(b"half")
    os.utime(half, (1_000_000_000, 1_000_000_000))
    fresh.write_bytes(b"being written")
    PictureCache(folder, 10**8).put(key(2), PICTURE)
    assert not half.exists() and fresh.exists()


def test_the_folder_may_be_deleted_while_it_is_in_use(cache: PictureCache, folder: Path) -> None:
    cache.put(key(1), PICTURE)
    entry(folder).unlink()
    for path in sorted(folder.parent.rglob("*"), reverse=True):
        path.rmdir()
    folder.parent.rmdir()
    assert cache.get(key(1)) is None
    cache.put(key(1), PICTURE)
    assert cache.get(key(1)) == PICTURE


def test_a_full_disk_turns_the_cache_off_with_one_word(
    cache: PictureCache, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(key(1), PICTURE)
    full = OSError(28, "No space left on device")

    def refuse(*_: object, **__: object) -> None:
        raise full

    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        cache.put(key(2), PICTURE)
        cache.put(key(3), PICTURE)
    cache.put(key(4), PICTURE)
    (record,) = caplog.records
    assert "No space left on device" in record.getMessage() and str(folder) in record.getMessage()
    assert cache.get(key(1)) == PICTURE
    assert [cache.get(key(number)) for number in (2, 3, 4)] == [None, None, None]
    assert entry(folder).exists()


@pytest.mark.parametrize("in_the_way", ["cache", "cache/pictures"])
def test_a_file_where_the_folder_should_be_turns_the_cache_off(
    tmp_path: Path, folder: Path, in_the_way: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / in_the_way
    path.parent.mkdir(exist_ok=True)
    path.write_text("not a folder")
    cache = PictureCache(folder, 10**8)
    for number in range(3):
        assert cache.get(key(number)) is None
        cache.put(key(number), PICTURE)
    assert len(caplog.records) == 1 and path.read_text() == "not a folder"


def test_a_disk_that_became_read_only_still_gives_what_it_has(
    cache: PictureCache, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(key(1), PICTURE)
    real = os.open

    def read_only(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_CREAT:
            raise OSError(30, "Read-only file system")
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", read_only)
    for number in (2, 3):
        cache.put(key(number), PICTURE)
        assert cache.get(key(number)) is None and cache.get(key(1)) == PICTURE
    assert ["Read-only file system" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written_to_still_gives(cache: PictureCache, folder: Path) -> None:
    cache.put(key(1), PICTURE)
    shard = entry(folder).parent
    shard.chmod(0o500)
    folder.chmod(0o500)
    try:
        later = PictureCache(folder, 10**8)
        later.put(key(2), PICTURE)
        assert later.get(key(2)) is None and later.get(key(1)) == PICTURE
    finally:
        folder.chmod(0o700)
        shard.chmod(0o700)


@pytest.mark.parametrize("level", ["the folder", "a folder of entries"])
def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path, folder: Path, level: str) -> None:
    album = tmp_path / "album"
    names = [key(number)[2:] for number in range(40)]
    for shard in {key(number)[:2] for number in range(40)}:
        (album / shard).mkdir(parents=True)
        for name in names:
            (album / shard / name).write_bytes(b"a photograph of mine")
            os.utime(album / shard / name, (1, 1))
    before = {path: path.stat().st_mtime for path in album.rglob("*")}
    if level == "the folder":
        folder.parent.mkdir()
        folder.symlink_to(album)
    else:
        folder.mkdir(parents=True)
        for real in album.iterdir():
            (folder / real.name).symlink_to(real)
    cache = PictureCache(folder, 64 * 4096)
    for number in range(40):
        cache.put(key(number), picture(number, 3_000))
        assert cache.get(key(number)) is None
    assert {path: path.stat().st_mtime for path in album.rglob("*")} == before
    assert bytes_kept(folder) == 0


def test_what_the_cache_did_not_write_is_neither_counted_nor_removed(folder: Path) -> None:
    cache = PictureCache(folder, 64 * 4096)
    cache.put(key(1), PICTURE)
    strangers = [folder / "2019" / "IMG_1.jpg", entry(folder).parent / "IMG_2.jpg", folder / "notes.txt"]
    for path in strangers:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(60 * 4096))
        os.utime(path, (1, 1))
    assert bytes_kept(folder) == 4096
    for number in range(2, 200):
        cache.put(key(number), picture(number, 3_000))
    assert all(path.exists() for path in strangers) and bytes_kept(folder) <= 64 * 4096


def test_a_pipe_in_the_place_of_an_entry_holds_nobody(cache: PictureCache, folder: Path) -> None:
    cache.put(key(1), PICTURE)
    path = entry(folder)
    path.unlink()
    os.mkfifo(path)
    found = list[object]()
    thread = threading.Thread(target=lambda: found.append(cache.get(key(1))), daemon=True)
    thread.start()
    thread.join(30)
    assert found == [None]
    cache.put(key(1), PICTURE)
    assert cache.get(key(1)) == PICTURE


@pytest.mark.parametrize("odd", ["a folder", "a link", "a link that leads nowhere", "a file for a folder"])
def test_one_odd_entry_is_left_alone_and_turns_nothing_off(
    cache: PictureCache, folder: Path, tmp_path: Path, odd: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder.mkdir(parents=True, mode=0o700)
    path = folder / key(1)[:2] / key(1)[2:]
    if odd == "a file for a folder":
        path.parent.write_bytes(b"odd")
    else:
        path.parent.mkdir()
    if odd == "a folder":
        path.mkdir()
    elif odd == "a link":
        (tmp_path / "elsewhere").write_bytes(b"private")
        path.symlink_to(tmp_path / "elsewhere")
    elif odd == "a link that leads nowhere":
        path.symlink_to(tmp_path / "elsewhere")
    assert cache.get(key(1)) is None
    cache.put(key(1), PICTURE)
    assert cache.get(key(1)) in (None, PICTURE)
    cache.put(key(2), PICTURE)
    assert cache.get(key(2)) == PICTURE and not caplog.records
    assert not (tmp_path / "elsewhere").exists() or (tmp_path / "elsewhere").read_bytes() == b"private"


def test_a_folder_that_others_could_write_to_is_closed_to_them(cache: PictureCache, folder: Path) -> None:
    shard = folder / key(1)[:2]
    shard.mkdir(parents=True)
    folder.chmod(0o777)
    shard.chmod(0o770)
    cache.put(key(1), PICTURE)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, shard)] == [0o700, 0o700]
    assert cache.get(key(1)) == PICTURE


def test_a_folder_of_another_user_is_not_used(
    cache: PictureCache, folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(key(1), PICTURE)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert cache.get(key(1)) is None and bytes_kept(folder) == 0
    cache.put(key(2), PICTURE)
    assert len(list(folder.rglob("*"))) == 2
    assert ["it belongs to another user" in record.getMessage() for record in caplog.records] == [True]


def test_a_file_far_larger_than_any_entry_is_not_read(cache: PictureCache, folder: Path) -> None:
    cache.put(key(1), PICTURE)
    path = entry(folder)
    os.truncate(path, MOST_BYTES)
    assert cache.get(key(1)) is None and path.exists()


def write_many(folder: Path, start: "threading.Barrier", rounds: int) -> None:
    """Run in a process of its own: write, read and evict the same entries as the others, as fast as it goes."""
    cache = PictureCache(folder, 32 * 4096)
    start.wait()
    for turn in range(rounds):
        number = turn % 40
        cache.put(key(number), picture(number, 3_000))
        found = cache.get(key((turn * 7) % 40))
        assert found is None or found == picture((turn * 7) % 40, 3_000)


def test_several_engines_may_use_one_folder(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    others = [context.Process(target=write_many, args=(folder, start, 300)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0]
    names = [path.name for path in folder.rglob("*") if path.is_file()]
    assert not any(name.startswith(".new-") for name in names)
    assert bytes_kept(folder) <= 34 * 4096
    cache = PictureCache(folder, 32 * 4096)
    assert {cache.get(key(number)) for number in range(40)} <= {None, *(picture(n, 3_000) for n in range(40))}


def test_threads_may_share_a_cache(folder: Path) -> None:
    cache = PictureCache(folder, 32 * 4096)
    wrong: list[object] = []

    def work(first: int) -> None:
        for turn in range(100):
            number = (first + turn) % 50
            cache.put(key(number), picture(number, 3_000))
            found = cache.get(key(number))
            if found not in (None, picture(number, 3_000)):
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and bytes_kept(folder) <= 33 * 4096


def test_the_bound_is_a_share_of_what_is_free_and_at_most_two_gibibytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 10**9

    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage)
    assert bytes_allowed(tmp_path / "not" / "there") == 5 * 10**7
    Usage.free = 10**15
    assert bytes_allowed(tmp_path) == MOST_BYTES == 2 * 1024**3

    def gone(_path: Path) -> None:
        raise OSError("gone")

    monkeypatch.setattr("shutil.disk_usage", gone)
    assert bytes_allowed(tmp_path) == 0
