"""What was prepared is read back as it was, or made again; never half of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from backtest.data import kept
from backtest.data.kept import Shelf, key_of, write_whole

COLUMNS = {"a": np.arange(5_000), "b": np.linspace(0.0, 1.0, 5_000), "none": np.zeros(0, np.int64)}


def test_columns_come_back_as_they_lie_and_can_be_written_to(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("k", COLUMNS, {"rows": 5})
    found = shelf.get("k")
    assert found is not None
    assert found.meta == {"rows": 5}
    assert all(np.array_equal(found.columns[name], COLUMNS[name]) for name in COLUMNS)
    assert type(found.columns["a"]) is np.ndarray
    found.columns["a"][0] = 99
    again = shelf.get("k")
    assert again is not None
    assert again.columns["a"][0] == 0


def test_entry_that_was_cut_short_is_not_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("k", COLUMNS, {})
    path = tmp_path / "k" / "a.npy"
    os.truncate(path, path.stat().st_size // 2)
    assert shelf.get("k") is None
    assert not (tmp_path / "k").exists()


def test_folder_without_its_last_file_is_not_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("k", COLUMNS, {})
    (tmp_path / "k" / kept.META).unlink()
    assert shelf.get("k") is None


def test_second_process_that_puts_the_same_finds_the_first_ones(tmp_path: Path) -> None:
    Shelf(tmp_path).put("k", COLUMNS, {"by": 1})
    assert Shelf(tmp_path).put("k", COLUMNS, {"by": 2}).meta == {"by": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["k"]


def test_failure_while_putting_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Shelf(tmp_path).put("k", COLUMNS, {"x": object()})
    assert list(tmp_path.iterdir()) == []


def test_shelf_lets_go_what_was_not_used_for_longest(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, bytes_max=200_000)
    for k, name in enumerate(("old", "used", "new")):
        shelf.put(name, COLUMNS, {})
        os.utime(tmp_path / name, (k, k))
    assert shelf.get("old") is not None  # used now
    shelf.put("newest", COLUMNS, {})
    assert {path.name for path in tmp_path.iterdir()} >= {"old", "newest"}
    assert shelf.get("used") is None


def test_hash_of_a_file_follows_its_contents(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"one")
    shelf = Shelf(tmp_path / "shelf")
    first = shelf.sha256(path)
    assert Shelf(tmp_path / "shelf").sha256(path) == first
    path.write_bytes(b"other")
    assert shelf.sha256(path) != first


def test_key_follows_inputs_and_source(tmp_path: Path) -> None:
    for name in kept.CODE:
        path = tmp_path / name
        (path.parent if name.endswith(".py") else path).mkdir(parents=True, exist_ok=True)
        if name.endswith(".py"):
            path.write_text("x = 1\n")
    before = kept.code_version(tmp_path)
    kept.code_version.cache_clear()
    (tmp_path / "backtest" / "data" / "new.py").write_text("x = 2\n")
    assert kept.code_version(tmp_path) != before
    assert key_of("a", 1) == key_of("a", 1) != key_of("a", 2)


def test_file_is_whole_or_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_whole(path, b"one")
    with pytest.raises(TypeError):
        write_whole(path, "text")  # type: ignore[arg-type]
    assert path.read_bytes() == b"one"
    assert [found.name for found in path.parent.iterdir()] == ["file"]
