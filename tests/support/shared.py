"""Real data and captures that are never committed: found beside the checkout, or the test says what it missed.

`AMM_SHARED` names their folder; the default is `../shared`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def shared_root() -> Path:
    return Path(os.environ.get("AMM_SHARED") or ROOT.parent / "shared")


def shared(relative: str) -> Path:
    """The file's path, or a skip that names it."""
    path = shared_root() / relative
    if not path.exists():
        pytest.skip(f"real data not here: {relative} (set AMM_SHARED to the folder that holds it)")
    return path
