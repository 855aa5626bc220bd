"""The quoter's arm64 image, emulated, in place of ours: it starts from its baked kernels and its orders rest.

Skipped where nobody has built that image from this code:

    docker build --platform linux/arm64 --build-arg PYTHON_IMAGE=arm64v8/python:3.11-slim-bookworm --target quoter \\
        -t amm500/quoter:arm64 .
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from common.errors import LinkDown
from scripts.stack import wait_for
from tests.support.containers import PAPER, Running, docker, note, started

pytestmark = pytest.mark.container

IMAGE = "amm500/quoter:arm64"
FILES = "docker-compose.yml:tests/containers/quoter-arm64.yml"
QUOTES_S = 120.0
RENEWED_S = 10.0
"""Orders whose ladder is not renewed are cancelled within 2.5 s, so those that rest longer have a quoter that works."""


def printed(image: str, *platform: str) -> str:
    """Machine and build, as a container of this image names them; raises LinkDown when it does not run."""
    asked = ("--entrypoint", "sh", image, "-c", "uname -m; cat BUILD")
    return docker("run", "--rm", *(("--platform", *platform) if platform else ()), *asked)


@pytest.fixture(scope="module")
def emulated(images: None) -> Iterator[Running]:
    """The made-up market in real time, which an emulated quoter keeps up with."""
    try:
        image = json.loads(docker("image", "inspect", IMAGE))[0]
        machine, build = printed(IMAGE, "linux/arm64").split()
    except LinkDown as error:
        pytest.skip(f"no arm64 image of the quoter that runs here: {error}")
    if build != (ours := printed("amm500/quoter:dev").split()[1]):
        pytest.skip(f"{IMAGE} is of another build ({build}, not {ours}): nobody would arm it; build it anew")
    assert (image["Architecture"], machine) == ("arm64", "aarch64")
    note(f"{IMAGE}: {image['Size'] / 1e6:.0f} MB")
    with started(("--speed", "1"), PAPER | {"COMPOSE_FILE": FILES, "QUOTER_PLATFORM": "linux/arm64"}) as stack:
        yield stack


def test_the_arm64_quoter_starts_without_compiling_and_its_orders_rest(emulated: Running) -> None:
    began_s = datetime.fromisoformat(emulated.inspect("quoter")["State"]["StartedAt"]).timestamp()
    note(f"arm64 quoter: healthy within {time.time() - began_s:.0f} s of its start")
    assert emulated.inside("quoter", "uname", "-m").strip() == "aarch64"
    assert emulated.healthy("quoter")
    assert emulated.inside("quoter", "diff", "-r", "/app/kernels", "/tmp/kernels") == "", "nothing was compiled anew"
    wait_for(lambda: emulated.resting() > 0, QUOTES_S, "orders of the arm64 quoter at the venue", every_s=0.5)
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > RENEWED_S or emulated.resting() == 0, 2 * RENEWED_S, "renewed ladders")
    assert emulated.resting() > 0
    note(f"arm64 quoter: {emulated.resting()} orders rest, {emulated.actions()} actions until now")
