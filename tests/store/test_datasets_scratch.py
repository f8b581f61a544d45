"""The scratch file: a multimap on disk that is safe between threads and leaves nothing behind."""

import sqlite3
import threading
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqa_tui.store.db import StoreTrouble
from vqa_tui.store.scratch import SqliteScratch

ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", "ä\0"]), st.text(st.characters(codec="utf-8"), max_size=5)))


@given(st.lists(st.tuples(st.sampled_from(["one", "two"]), ROWS), max_size=6))
def test_values_come_back_in_the_order_of_their_arrival(puts: list[tuple[str, list[tuple[str, str]]]]) -> None:
    expected: dict[tuple[str, str], list[str]] = defaultdict(list)
    with SqliteScratch() as scratch:
        for table, rows in puts:
            scratch.put_many(table, iter(rows))
            for key, value in rows:
                expected[table, key].append(value)
        for table in ("one", "two", "three"):
            for key in ("a", "b", "ä\0", "none"):
                assert scratch.get(table, key) == expected[table, key]
            asked = ["a", "b", "ä\0", "none"]
            assert scratch.get_many(table, asked) == {k: v for k in asked if (v := expected[table, k])}


def test_a_key_is_new_once_within_a_call_and_between_calls() -> None:
    with SqliteScratch() as scratch:
        assert scratch.first_time("keys", ["a", "b", "a"]) == [True, True, False]
        assert scratch.first_time("keys", ["b", "c"]) == [False, True]
        assert scratch.first_time("others", ["a"]) == [True]


def test_many_keys_at_once_are_new_and_found_as_one_by_one() -> None:
    keys = [str(number) for number in range(1_700)]
    with SqliteScratch() as scratch:
        assert scratch.first_time("keys", keys[:900]) == [True] * 900
        assert scratch.first_time("keys", [*keys, *keys]) == [False] * 900 + [True] * 800 + [False] * 1_700
        assert scratch.first_time("keys", []) == []
        scratch.put_many("rows", ((key, f"value {key}") for key in keys))
        assert scratch.get_many("rows", keys) == {key: [f"value {key}"] for key in keys}
        assert scratch.get_many("rows", []) == {}


def test_many_rows_from_several_threads_are_all_there() -> None:
    with SqliteScratch() as scratch:

        def fill(name: str) -> None:
            scratch.put_many("rows", ((name, str(number)) for number in range(5_000)))

        threads = [threading.Thread(target=fill, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in "abc":
            assert scratch.get("rows", name) == [str(number) for number in range(5_000)]


def test_a_closed_scratch_stops_whoever_still_uses_it() -> None:
    scratch = SqliteScratch()
    scratch.close()
    scratch.close()
    with pytest.raises(sqlite3.ProgrammingError):
        scratch.put_many("rows", [("a", "b")])
    with pytest.raises(sqlite3.ProgrammingError):
        scratch.get("rows", "a")


def test_a_full_disk_is_told_in_words() -> None:
    with SqliteScratch() as scratch:
        scratch._connection.execute("PRAGMA max_page_count = 6")
        with pytest.raises(StoreTrouble, match="database or disk is full"):
            scratch.put_many("rows", ((str(number), "x" * 500) for number in range(1_000)))
