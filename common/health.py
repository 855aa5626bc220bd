"""`python -m common.health PORT`: exit code 0 when the service on this machine's PORT says that it is ready.

For the containers' health checks: no client is installed for it, and it starts in a few hundredths of a second,
which is why nothing but a socket is imported here.
"""

from __future__ import annotations

import socket
import sys

HEALTHY, UNHEALTHY = 0, 1
ANSWER_S = 2.0
ASK = b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"


def is_ready(port: int, timeout_s: float = ANSWER_S) -> bool:
    """Whether /healthz answers 200; no answer in time is a no."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout_s) as link:
            link.settimeout(timeout_s)
            link.sendall(ASK)
            with link.makefile("rb") as answer:
                words = answer.readline(256).split()
    except OSError:
        return False
    return len(words) > 1 and words[1] == b"200"


if __name__ == "__main__":
    sys.exit(HEALTHY if is_ready(int(sys.argv[1])) else UNHEALTHY)
