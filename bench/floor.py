"""The same hops by the barest client: socket in, two Redis streams, socket out, in three blocking processes.

Nothing is decoded, decided, journalled or signed, so no system can be faster on this machine: the floor of the
tick-to-order figure.
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import time

FRAME = b'{"channel":"bbo","data":{"coin":"sx:BTC","time":1700000000000,"bbo":[null,null]}}'.ljust(220)
ORDER = b"POST /exchange HTTP/1.1\r\n".ljust(1800, b"x")


def measure(redis_socket: str, rounds: int = 400, every_s: float = 0.01) -> list[int]:
    """Nanoseconds from a frame leaving our socket to the order's bytes arriving, one per round."""
    with _connect(redis_socket) as redis:  # the stages read from the beginning, so that none can come too late
        redis.sendall(_command(b"DEL", b"floor:a", b"floor:b"))
        redis.recv(64)
    front, back = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    context = multiprocessing.get_context("spawn")
    stages = [
        context.Process(target=_first, args=(front.getsockname(), redis_socket), daemon=True),
        context.Process(target=_middle, args=(redis_socket,), daemon=True),
        context.Process(target=_last, args=(redis_socket, back.getsockname()), daemon=True),
    ]
    for stage in stages:
        stage.start()
    (to_first, _), (from_last, _) = front.accept(), back.accept()
    times: list[int] = []
    try:
        for number in range(rounds + 20):
            time.sleep(every_s)
            began = time.monotonic_ns()
            to_first.sendall(FRAME)
            _read_exactly(from_last, len(ORDER))
            if number >= 20:
                times.append(time.monotonic_ns() - began)
    finally:
        for stage in stages:
            stage.terminate()
        for stage in stages:
            stage.join()
        for end in (to_first, from_last, front, back):
            end.close()
    return times


def percentiles(times_ns: list[int]) -> tuple[float, float]:
    """(p50, p99) in milliseconds."""
    cuts = statistics.quantiles(times_ns, n=100)
    return statistics.median(times_ns) / 1e6, cuts[98] / 1e6


def _command(*parts: bytes) -> bytes:
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _connect(path: str) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.connect(path)
    return link


def _read_exactly(link: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        chunk = link.recv(size - len(got))
        if not chunk:
            raise ConnectionError("the other end is gone")
        got += chunk
    return bytes(got)


def _add(link: socket.socket, stream: bytes, body: bytes) -> None:
    link.sendall(_command(b"XADD", stream, b"MAXLEN", b"~", b"1000", b"*", b"b", body))
    link.recv(4096)


def _next(link: socket.socket, stream: bytes, last: bytes, body: bytes) -> bytes:
    """Block for the next entry; returns its id (the only thing parsed: the reply's fourth line)."""
    link.sendall(_command(b"XREAD", b"BLOCK", b"0", b"STREAMS", stream, last))
    reply = bytearray()
    while body not in reply or not reply.endswith(b"\r\n"):
        reply += link.recv(65_536)
    lines = bytes(reply).split(b"\r\n")
    return next(line for line in lines if b"-" in line and line.replace(b"-", b"").isdigit())


def _first(address: tuple[str, int], redis_socket: str) -> None:
    link, redis = socket.create_connection(address), _connect(redis_socket)
    while True:
        _add(redis, b"floor:a", _read_exactly(link, len(FRAME)))


def _middle(redis_socket: str) -> None:
    reader, writer = _connect(redis_socket), _connect(redis_socket)
    last = b"0"
    while True:
        last = _next(reader, b"floor:a", last, FRAME)
        _add(writer, b"floor:b", FRAME)


def _last(redis_socket: str, address: tuple[str, int]) -> None:
    redis, link = _connect(redis_socket), socket.create_connection(address)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    last = b"0"
    while True:
        last = _next(redis, b"floor:b", last, FRAME)
        link.sendall(ORDER)
