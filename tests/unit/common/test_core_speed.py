"""The measurement itself: figures that compare, on the CPU that was asked for, and the class of service of a Mac."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from common.core_speed import STEPS, main, turn
from common.kernel import ROOT
from common.qos import CLASSES, current_qos, set_qos

ON_LINUX = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds nothing to CPUs")


def asked(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "common.core_speed", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_more_work_takes_more_cpu_time() -> None:
    assert min(turn(40_000)[0] for _ in range(5)) > 2 * min(turn(4_000)[0] for _ in range(5))


@ON_LINUX
def test_it_moves_to_the_cpu_asked_for_and_says_so() -> None:
    wanted = str(max(os.sched_getaffinity(0)))
    answer = json.loads(asked("--turns", "2", "--cpus", wanted).stdout)
    assert (answer["cpus"], answer["ran_on"], answer["steps"]) == (wanted, wanted, STEPS)
    assert [len(pair) for pair in answer["turns"]] == [2, 2]
    assert all(cpu_s > 0 for cpu_s, _ in answer["turns"])


@ON_LINUX
@pytest.mark.parametrize(
    "arguments",
    [("--turns", "0"), ("--turns", "1001"), ("--cpus", "x"), ("--cpus", "8191"), ("--qos", "best")],
)
def test_what_cannot_be_done_is_refused_in_words(
    arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(SystemExit) as refused:
        main(list(arguments))
    assert refused.value.code == 2
    assert arguments[0] in capsys.readouterr().err
    assert os.sched_getaffinity(0) == before


class MacLibrary:
    """The two calls of macOS' system library, for one thread."""

    def __init__(self, refuses: bool = False) -> None:
        self.number = CLASSES["default"]
        self._refuses = refuses

    def pthread_set_qos_class_self_np(self, number: Any, relative: int) -> int:
        if self._refuses or relative != 0:
            return 22
        self.number = number.value
        return 0

    def qos_class_self(self) -> int:
        return self.number


def test_a_class_of_service_is_set_and_read_back() -> None:
    library = MacLibrary()
    assert current_qos(library) == "default"
    assert set_qos("user_interactive", library)
    assert current_qos(library) == "user_interactive"


def test_a_refused_class_is_no_success() -> None:
    assert not set_qos("user_interactive", MacLibrary(refuses=True))


def test_a_class_nobody_named_is_shown_as_a_number() -> None:
    library = MacLibrary()
    library.number = 0x05
    assert current_qos(library) == "0x5"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has classes of service")
def test_elsewhere_there_is_none() -> None:
    assert not set_qos("user_interactive")
    assert current_qos() == ""
