"""The quality of service of the calling thread on macOS, which decides the kind of core it runs on.

`background` keeps a thread on efficiency cores; the others may use performance cores, `user_interactive` first of
all.  The class holds for one thread and is lost on exec, so it is set in the process, and on the thread, that does
the work.  Source: Apple, pthread/qos.h and sys/qos.h; `taskpolicy` can only lower a class, never raise it.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

CLASSES = {"user_interactive": 0x21, "user_initiated": 0x19, "default": 0x15, "utility": 0x11, "background": 0x09}


def set_qos(name: str, library: Any = None) -> bool:
    """Put the calling thread into a class of CLASSES; False where the system has none or refuses."""
    system = library or _library()
    return system is not None and system.pthread_set_qos_class_self_np(ctypes.c_uint(CLASSES[name]), 0) == 0


def current_qos(library: Any = None) -> str:
    """The calling thread's class, "" where the system has none."""
    system = library or _library()
    if system is None:
        return ""
    number = int(system.qos_class_self())
    return next((name for name, value in CLASSES.items() if value == number), f"{number:#x}")


def _library() -> Any:
    return ctypes.CDLL(None) if sys.platform == "darwin" else None
