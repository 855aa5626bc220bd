"""A container starts with the machine code its image carries, where numba may write beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common.kernel import ROOT
from common.warm import copy_baked


def test_what_was_baked_is_copied_into_a_folder_that_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "baked" / "deep").mkdir(parents=True)
    (tmp_path / "baked" / "deep" / "code.nbc").write_bytes(b"\0machine")
    (tmp_path / "cache").mkdir()
    copy_baked(tmp_path / "baked", tmp_path / "cache")
    assert (tmp_path / "cache" / "deep" / "code.nbc").read_bytes() == b"\0machine"


def test_nothing_baked_is_an_error_and_no_silent_compilation(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy_baked(tmp_path / "absent", tmp_path / "cache")


def test_the_module_takes_the_process_over_with_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "baked").mkdir()
    command = [sys.executable, "-m", "common.warm", str(tmp_path / "baked"), str(tmp_path / "cache")]
    done = subprocess.run([*command, "common.health", "1"], cwd=ROOT, check=False)
    assert done.returncode == 1  # what common.health says of a port where nobody is
    assert (tmp_path / "cache").is_dir()
