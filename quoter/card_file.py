"""A forecast's card on disk: written in one step, read back exactly or not at all."""

from __future__ import annotations

from pathlib import Path

import msgspec

from common.config import Settings
from common.errors import BadInput
from quoter.card import Card, accept, check, seal_of

BYTES_MAX = 200_000


def model_path(settings: Settings) -> Path:
    """Where the forecast of this market profile lies."""
    return settings.models_dir / f"{settings.profile}.json"


def write_card(card: Card, path: Path) -> None:
    """Put the sealed card in place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(msgspec.structs.replace(card, seal=seal_of(card))), indent=1)
    part = path.with_name(path.name + ".part")
    part.write_bytes(text + b"\n")
    part.replace(path)


def read_card(path: Path) -> Card:
    """A card exactly as it was written; raises BadInput: no_model, not_a_model, broken_seal, other_features."""
    try:
        with path.open("rb") as stream:
            body = stream.read(BYTES_MAX + 1)
    except OSError as error:
        raise BadInput("no_model", f"{path.name}: {error.strerror}") from None
    if len(body) > BYTES_MAX:
        raise BadInput("not_a_model", f"{path.name} is larger than {BYTES_MAX} bytes")
    try:
        card = msgspec.json.decode(body, type=Card)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("not_a_model", f"{path.name}: {error}") from None
    check(card, path.name)
    return card


class ModelWatch:
    """Looks at the file now and then: a new, better or missing card, or one that grew too old, is told once."""

    def __init__(self, settings: Settings) -> None:
        self._path = model_path(settings)
        self._coin, self._age_h_max = settings.market.coin, settings.quoting.forecast_age_h_max
        self._references = settings.quoting.reference_coins
        self._read: tuple[int, int] | None = None
        self._card: Card | None = None
        self._fault = "not read yet"
        self.in_use: Card | None = None
        self.why_not = ""

    def look(self, now_recorded_t_ns: int) -> bool:
        """Whether the card in use, or the reason for none, has changed."""
        before = self.in_use, self.why_not
        stamp = self._stamp()
        if stamp is None or stamp != self._read:
            self._read = stamp
            self._load()
        self.why_not = self._fault
        if self._card is not None:
            self.why_not = accept(self._card, self._coin, now_recorded_t_ns, self._age_h_max, self._references)
        self.in_use = None if self.why_not else self._card
        return (self.in_use, self.why_not) != before

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _load(self) -> None:
        try:
            self._card, self._fault = read_card(self._path), ""
        except BadInput as error:
            self._card, self._fault = None, str(error)
