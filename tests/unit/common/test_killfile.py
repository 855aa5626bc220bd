"""The latch on disk: there or not there, never half there."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import killfile
from common.killfile import Kill


def test_kill_is_read_back_as_written(tmp_path: Path) -> None:
    killfile.write(tmp_path / "run", Kill(7, "asked for", 123))
    path = killfile.path_of(tmp_path / "run")
    assert json.loads(path.read_text()) == {"epoch": 7, "reason": "asked for", "t_ns": 123}
    assert killfile.read(tmp_path / "run") == Kill(7, "asked for", 123)
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["kill"]


def test_two_writers_with_one_process_id_do_not_meet_in_a_half_written_file(tmp_path: Path) -> None:
    """Containers that share the folder have process ids of their own."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda epoch: killfile.write(tmp_path, Kill(epoch, "x" * epoch)), range(1, 65)))
    found = killfile.read(tmp_path)
    assert found is not None
    assert found.reason == "x" * found.epoch
    assert [p.name for p in tmp_path.iterdir()] == ["kill"]


def test_a_folder_that_refuses_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "kill").mkdir()
    with pytest.raises(OSError, match="directory"):
        killfile.replace(tmp_path / "kill", b"{}", durable=True)
    assert [p.name for p in tmp_path.iterdir()] == ["kill"]


def test_no_file_is_no_kill(tmp_path: Path) -> None:
    assert killfile.read(tmp_path) is None
    assert killfile.read(tmp_path / "nowhere") is None


def test_newer_kill_replaces_and_older_one_does_not(tmp_path: Path) -> None:
    killfile.write(tmp_path, Kill(7, "first"))
    killfile.write(tmp_path, Kill(6, "late"))
    assert killfile.read(tmp_path) == Kill(7, "first")
    killfile.write(tmp_path, Kill(8, "second"))
    assert killfile.read(tmp_path) == Kill(8, "second")


def test_only_a_higher_epoch_clears(tmp_path: Path) -> None:
    killfile.write(tmp_path, Kill(7, "x"))
    assert not killfile.clear_older(tmp_path, 7)
    assert killfile.read(tmp_path) is not None
    assert killfile.clear_older(tmp_path, 8)
    assert killfile.read(tmp_path) is None
    assert killfile.clear_older(tmp_path, 8)


def test_folder_in_its_place_counts_as_a_kill(tmp_path: Path) -> None:
    (tmp_path / "kill").mkdir()
    found = killfile.read(tmp_path)
    assert found is not None
    assert "cannot be read" in found.reason


@given(content=st.binary(max_size=200))
def test_whatever_stands_in_the_file_is_a_kill(tmp_path_factory: object, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("run")  # type: ignore[attr-defined]
    (folder / "kill").write_bytes(content)
    assert killfile.read(folder) is not None
