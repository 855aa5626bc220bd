"""A fitted forecast with its evidence: what was fitted on which data, how well, and whether it may be used.

The rule (design 5): R2 on held-back hours at 30 s above 0.05 with a lower bound above 0; older than its age limit, or
not exactly what was written, it is no model. A card is JSON; `seal` is the hash of everything else in it. Leaves the
fitting to `fit.py`, the file to `card_file.py`.
"""

from __future__ import annotations

import hashlib
import math
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from common.errors import BadInput
from quoter.features import FEATURES_MAX, names
from quoter.forecast import new_model

SCHEMA = 1
R2_LEAST = 0.05
JUDGED_S = 30

R2 = Annotated[float, Meta(ge=-1e6, le=1.0)]
Weight = Annotated[float, Meta(ge=-1e3, le=1e3)]
Deviation = Annotated[float, Meta(ge=0.0, le=1e6)]
Text = Annotated[str, Meta(max_length=200)]
Nanos = Annotated[int, Meta(ge=0, le=2**62)]


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """R2 on hours that were left out of the fit, with a 90 % hour-block interval (None: too few hours to tell)."""

    mean: R2
    lo: R2 | None
    hi: R2 | None


class Horizon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One regression: the penalty that leave-hours-out chose, and what it explains of the move `seconds` ahead."""

    seconds: Annotated[int, Meta(ge=1, le=3600)]
    penalty: Annotated[float, Meta(ge=0, le=1e3)]
    weights: Annotated[list[Weight], Meta(max_length=FEATURES_MAX)]
    r2: Score
    r2_late: Score
    """The same from `latency_ms` later on: what is left when we can act on it."""


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One recorded file."""

    name: Text
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a person or the quoter needs to know of a model.  Times are those of the recording, ns."""

    schema: Annotated[int, Meta(ge=1, le=1000)]
    profile: Text
    coin: Text
    start_t_ns: Nanos
    end_t_ns: Nanos
    data: Annotated[list[Data], Meta(max_length=1000)]
    samples: Annotated[int, Meta(ge=0)]
    hours: Annotated[int, Meta(ge=0)]
    features: Annotated[list[Text], Meta(max_length=FEATURES_MAX)]
    references: Annotated[list[Text], Meta(max_length=4)]
    deviations: Annotated[list[Deviation], Meta(max_length=FEATURES_MAX)]
    horizon_s: Annotated[int, Meta(ge=1, le=3600)]
    forecast_deviation_bps: Deviation
    latency_ms: Annotated[float, Meta(ge=0, le=60_000)]
    horizons: Annotated[list[Horizon], Meta(max_length=10)]
    config_hash: Text
    seal: Annotated[str, Meta(max_length=64)] = ""

    def of(self, seconds: int) -> Horizon | None:
        """The regression of that horizon."""
        return next((h for h in self.horizons if h.seconds == seconds), None)

    @property
    def refusal(self) -> str:
        """Why the model must not be used, "" when it may."""
        judged = self.of(JUDGED_S)
        if judged is None:
            return f"not scored at {JUDGED_S} s"
        if judged.r2.lo is None:
            return f"too few hours ({self.hours}) for an interval"
        if judged.r2.mean <= R2_LEAST or judged.r2.lo <= 0.0:
            return f"R2 at {JUDGED_S} s is {judged.r2.mean:.3f}, lower bound {judged.r2.lo:.3f}"
        return ""

    def model(self) -> Any:
        """The vector the kernels take (`forecast.py`)."""
        own = self.of(self.horizon_s)
        weights = own.weights if own else []
        return new_model(weights, self.deviations, self.forecast_deviation_bps, float(self.horizon_s))


def seal_of(card: Card) -> str:
    """Hash of all that is in the card but the seal itself."""
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(card, seal=""))).hexdigest()


def accept(card: Card, coin: str, now_recorded_t_ns: int, age_h_max: float, references: tuple[str, ...] = ()) -> str:
    """Why the quoter must not use this card now, "" when it may; ages in the recording's time.

    `references` are the other markets it hears: a card that was fitted on any must find exactly those.
    """
    if card.coin != coin:
        return f"fitted for {card.coin}"
    if card.references and tuple(card.references) != references:
        return f"fitted beside {','.join(card.references)}, REFERENCES is {','.join(references) or 'empty'}"
    if card.start_t_ns <= now_recorded_t_ns <= card.end_t_ns:
        return "fitted on the very time that is played"
    age_h = (now_recorded_t_ns - card.end_t_ns) / 3.6e12
    if age_h > age_h_max:
        return f"{age_h:.0f} h old, {age_h_max:.0f} at most"
    return card.refusal


def check(card: Card, name: str) -> None:
    """Raises BadInput unless the card is sealed, of this build's features and whole."""
    if card.seal != seal_of(card):
        raise BadInput("broken_seal", f"{name} was changed after it was written")
    known = list(names(tuple(card.references)))
    if card.schema != SCHEMA or card.features != known:
        raise BadInput("other_features", f"{name} was fitted on other features than this build has")
    lengths = {len(card.deviations), *(len(h.weights) for h in card.horizons)}
    if lengths != {len(known)} or card.of(card.horizon_s) is None:
        raise BadInput("not_a_model", f"{name}: weights and features do not match")
    if not all(map(math.isfinite, card.deviations)):
        raise BadInput("not_a_model", f"{name}: a deviation is not a number")
