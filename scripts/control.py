"""`make kill | arm | pause | resume | drain | status`: the control API of a running system, from the shell.

The same for processes (`make demo`) and containers (`make up`): one page, on this machine only. The token is read from
the secrets of whichever runs. Kill also works when the monitor is down or knows no token of ours: the kill file that
executor and warden watch is then written directly.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import time
from pathlib import Path

from common import killfile
from common.config import PAGE_PORT
from common.errors import EXIT_FAULT, EXIT_OK
from common.kernel import ROOT

TOKEN_FOLDERS = ("run/demo/secrets", "secrets/paper", "secrets", "run/secrets")
LATCH_FOLDERS = ("run/demo", "run/stack/latch", "run/stack-*/latch")
ANSWER_S = 5.0


class Denied(Exception):
    """The page does not know this token."""


def main(argv: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="make kill|arm|pause|resume|drain|status")
    parser.add_argument("verb", choices=("kill", "arm", "pause", "resume", "drain", "status"))
    parser.add_argument("--reason", default="asked for on the command line")
    parsed = parser.parse_args(argv)
    port = PAGE_PORT + int(os.environ.get("PORT_BASE", "0"))
    try:
        text = _status(port) if parsed.verb == "status" else _command(port, parsed.verb, parsed.reason, root)
    except (OSError, http.client.HTTPException, Denied) as error:
        paths = _latch(root, parsed.reason) if parsed.verb == "kill" else []
        if not paths:
            return _say(f"the control page on port {port} does not obey: {error}")
        text = f"the control page does not obey; wrote {', '.join(map(str, paths))}: executor and warden cancel all"
    sys.stdout.write(text + "\n")
    return EXIT_OK


def _say(text: str) -> int:
    sys.stderr.write(text + "\n")
    return EXIT_FAULT


def _status(port: int) -> str:
    return _ask(port, "GET", "/api/status", "", {})


def _command(port: int, verb: str, reason: str, root: Path) -> str:
    """With the first token the page knows; raises Denied when it knows none."""
    denied = Denied("there is no control token here: nothing was started from this folder")
    for path in (root / folder / "control_token" for folder in TOKEN_FOLDERS):
        try:
            token = path.read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            continue
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            return _ask(port, "POST", f"/api/{verb}", json.dumps({"reason": reason}), headers)
        except Denied as error:
            denied = error
    raise denied


def _ask(port: int, method: str, path: str, body: str, headers: dict[str, str]) -> str:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    try:
        link.request(method, path, body or None, headers)
        reply = link.getresponse()
        answer = reply.read().decode()
    finally:
        link.close()
    if reply.status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
        raise Denied(f"HTTP {reply.status}: {answer[:200]}")
    if reply.status != http.HTTPStatus.OK:
        raise OSError(f"HTTP {reply.status}: {answer[:200]}")
    return json.dumps(json.loads(answer), indent=2)


def _latch(root: Path, reason: str) -> list[Path]:
    """The latch itself, wherever a system looks for one: whole or absent, on disk before we say so."""
    now_ns = time.time_ns()
    found = [path for folder in LATCH_FOLDERS for path in sorted(root.glob(folder)) if path.is_dir()]
    for folder in found:
        killfile.write(folder, killfile.Kill(now_ns, reason[:500], now_ns))
    return [killfile.path_of(folder) for folder in found]


if __name__ == "__main__":
    sys.exit(main())
