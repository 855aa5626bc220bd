"""Where data lie: what was fetched, by whom it was published, and the checksums it was written with.

`data/` beside the code holds `hyperliquid/COIN/{candles_INTERVAL,funding}.csv`, `hyperliquid/archive/...` as the bucket
has it, `yahoo/SYMBOL_INTERVAL.csv`, and `manifest.json`: for every file its hash, rows and span. A file that is not
what the manifest says is refused: it was changed, or cut short.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backtest.data.kept import write_whole
from common.errors import ConfigError
from common.kernel import ROOT

DATA = ROOT / "data"
MANIFEST = "manifest.json"
OEX = "^OEX"


@dataclass(frozen=True, slots=True)
class Noted:
    """One file as it was written."""

    sha256: str
    rows: int
    first_ms: int
    last_ms: int
    source: str


class Places:
    """The data folder and its manifest."""

    def __init__(self, folder: Path = DATA) -> None:
        self.folder = folder
        self._path = folder / MANIFEST

    def candles(self, coin: str, interval: str) -> Path:
        return self.folder / "hyperliquid" / folder_name(coin) / f"candles_{interval}.csv"

    def funding(self, coin: str) -> Path:
        return self.folder / "hyperliquid" / folder_name(coin) / "funding.csv"

    @property
    def archive(self) -> Path:
        return self.folder / "hyperliquid" / "archive"

    def yahoo(self, symbol: str, interval: str) -> Path:
        return self.folder / "yahoo" / f"{symbol.strip('^')}_{interval}.csv"

    def note(self, path: Path, data: bytes, rows: int, first_ms: int, last_ms: int, source: str) -> Noted:
        """Write a file whole and enter it; the entry is only made when the file is there."""
        write_whole(path, data)
        noted = Noted(hashlib.sha256(data).hexdigest(), rows, first_ms, last_ms, source)
        entries = self._entries()
        entries[path.relative_to(self.folder).as_posix()] = asdict(noted)
        write_whole(self._path, json.dumps(entries, indent=1, sort_keys=True).encode() + b"\n")
        return noted

    def noted(self, path: Path) -> Noted | None:
        """What the manifest says of a file; None = nothing."""
        try:
            found = self._entries().get(path.relative_to(self.folder).as_posix())
        except ValueError:  # not below the data folder
            return None
        return None if found is None else Noted(**found)

    def check(self, path: Path, sha256: str) -> None:
        """Raises ConfigError when the manifest knows the file with other contents."""
        noted = self.noted(path)
        if noted is not None and noted.sha256 != sha256:
            raise ConfigError(
                f"{path}: it is not what {self._path} says was fetched (checksum differs): delete it and fetch "
                "again, or name it as DATA to play it as it is"
            )

    def _entries(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self._path}: not readable ({error}); delete it to begin anew") from None
        return dict(found)


def folder_name(coin: str) -> str:
    """`km:US500` as a folder, as the recorder names it."""
    return coin.replace(":", "-")
