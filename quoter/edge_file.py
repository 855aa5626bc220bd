"""The edge gate's evidence on disk: a stop that our own fills asked for outlives the process that saw them.

One small file a network and market in the run folder, `edge_NETWORK_PROFILE.json`, put in place in one step and forced
to the disk. It is taken up only where it belongs: the same network, venue, coin and session of the venue (a simulated
venue that began anew is another market). A file that cannot be read or understood is a fault that a person must look
at, never a market without evidence: the gate then stands as stopped.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from common.config import Settings
from common.errors import BadInput
from quoter.edge_gate import EdgeGate, Kept

BYTES_MAX = 200_000
SCHEMA = 1


class EdgeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds; `origin_ns` is where the venue's clock began, 0 = real time."""

    schema: int
    network: str
    venue_url: str
    coin: str
    origin_ns: int
    kept: Kept


def edge_path(settings: Settings) -> Path:
    """Where the evidence of this network and market lies."""
    return settings.run_dir / f"edge_{settings.network}_{settings.profile}.json"


def write_edge(gate: EdgeGate, settings: Settings, origin_ns: int) -> None:
    """Put the gate's evidence in place in one step."""
    path = edge_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = EdgeFile(SCHEMA, settings.network, settings.venue_url, settings.market.coin, origin_ns, gate.keep())
    part = path.with_name(path.name + ".part")
    with part.open("wb") as stream:
        stream.write(msgspec.json.encode(file) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def read_edge(settings: Settings, origin_ns: int) -> Kept | None:
    """The evidence kept for this session, None = there is none; raises BadInput for a file that says nothing."""
    path = edge_path(settings)
    try:
        with path.open("rb") as stream:
            body = stream.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput("edge_file", f"{path.name}: {error.strerror}") from None
    if len(body) > BYTES_MAX:
        raise BadInput("edge_file", f"{path.name} is larger than {BYTES_MAX} bytes")
    try:
        found = msgspec.json.decode(body, type=EdgeFile)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("edge_file", f"{path.name}: {error}") from None
    if found.schema != SCHEMA:
        raise BadInput("edge_file", f"{path.name}: schema {found.schema}, known is {SCHEMA}")
    belongs = (found.network, found.venue_url, found.coin, found.origin_ns)
    if belongs != (settings.network, settings.venue_url, settings.market.coin, origin_ns):
        return None
    return found.kept
