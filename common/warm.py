"""`python -m common.warm BAKED CACHE MODULE [ARGUMENT...]`: start MODULE with the machine code that an image carries.

numba writes beside what it reads, and an image is read-only: what was baked is copied to CACHE (a tmpfs of the
container, what `AMM_KERNEL_CACHE` names) and MODULE takes this process over.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def copy_baked(baked: Path, cache: Path) -> None:
    """What the image carries, where it may be written; raises OSError when there is nothing to copy or no room."""
    shutil.copytree(baked, cache, dirs_exist_ok=True)


def main(argv: list[str]) -> None:
    baked, cache, module, *arguments = argv
    copy_baked(Path(baked), Path(cache))
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
