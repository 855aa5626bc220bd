"""`make kill | arm | pause | resume | drain | status`: the control API of a running system, from the shell.

The token is read from the run folder's secrets. Kill also works when the monitor is down: the kill file that
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

RUN_DIRS = (ROOT / "run" / "demo", ROOT / "run")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make kill|arm|pause|resume|drain|status")
    parser.add_argument("verb", choices=("kill", "arm", "pause", "resume", "drain", "status"))
    parser.add_argument("--reason", default="asked for on the command line")
    parsed = parser.parse_args(argv)
    port = PAGE_PORT + int(os.environ.get("PORT_BASE", "0"))
    run_dir = next((d for d in RUN_DIRS if (d / "secrets" / "control_token").exists()), None)
    if run_dir is None:
        sys.stderr.write("nothing is running here: there is no run folder with a control token\n")
        return EXIT_FAULT
    try:
        text = _ask(port, parsed.verb, parsed.reason, run_dir)
    except OSError as error:
        if parsed.verb != "kill":
            sys.stderr.write(f"the control page does not answer on port {port}: {error}\n")
            return EXIT_FAULT
        path = _kill_file(run_dir, parsed.reason)
        text = f"the control page does not answer; wrote {path}: executor and warden cancel all"
    sys.stdout.write(text + "\n")
    return EXIT_OK


def _ask(port: int, verb: str, reason: str, run_dir: Path) -> str:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        if verb == "status":
            link.request("GET", "/api/status")
        else:
            token = (run_dir / "secrets" / "control_token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            link.request("POST", f"/api/{verb}", json.dumps({"reason": reason}), headers)
        reply = link.getresponse()
        body = reply.read().decode()
        if reply.status != http.HTTPStatus.OK:
            raise OSError(f"HTTP {reply.status}: {body[:200]}")
    finally:
        link.close()
    return json.dumps(json.loads(body), indent=2)


def _kill_file(run_dir: Path, reason: str) -> Path:
    """The latch itself: whole or absent, on disk before we say so."""
    now_ns = time.time_ns()
    killfile.write(run_dir, killfile.Kill(now_ns, reason[:500], now_ns))
    return killfile.path_of(run_dir)


if __name__ == "__main__":
    sys.exit(main())
