"""`python -m quoter fit`: a forecast from recordings, judged on hours it was not fitted on.

Decides the weights and the penalty: for 5, 30 and 60 s ahead a ridge regression of the mid's move on the features, its
penalty chosen by leaving each hour out in turn; the figures on the card are those of the left-out hours. An hour's last
minute is never used, so that no label reaches into the hour it is judged on. Whether the result may be used is decided
in `card.py`; what a feature is, in `features.py`. Moves in bps, times of the recording in ns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from common.config import Settings, load
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, EXIT_REFUSED, BadInput, ConfigError
from common.kernel import COMPILED
from common.stats import bootstrap_mean
from quoter.card import SCHEMA, Card, Data, Horizon, Score
from quoter.card_file import model_path, read_card, write_card
from quoter.features import names
from quoter.forecast import Z_MAX
from quoter.rows import span_ns
from quoter.samples import Other, Samples, digest, others_of, read_samples, recordings
from quoter.state import NS

HORIZONS_S = (5, 30, 60)
QUOTED_S = 60
PENALTIES = (1e-4, 1e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
LABEL_MAX_BPS = 15.0
"""A larger move is fitted as this large: one liquidation is no lesson."""
FRESH_NS = 2 * NS
HOUR_NS = 3600 * NS
LATENCY_MS = 400.0
HOURS_MIN = 8
LEVEL = 0.90
SEED = 4


# ---------------------------------------------------------------------- spans and labels
def within(samples: Samples, span: tuple[int, int]) -> Samples:
    """Those of the span; a label may lie behind its end."""
    keep = (samples.t_ns >= span[0]) & (samples.t_ns < span[1])
    return Samples(samples.t_ns[keep], samples.log_mid[keep], samples.x[keep])


def labels(samples: Samples, at_t_ns: Any, horizon_s: float, from_s: float = 0.0) -> Any:
    """The move in bps from `from_s` to `horizon_s` after each time; NaN where no mid is known that late."""
    t_ns, log_mid = samples.t_ns, samples.log_mid
    late = at_t_ns + int(horizon_s * NS)
    until = np.searchsorted(t_ns, late, "right") - 1
    since = np.searchsorted(t_ns, at_t_ns + int(from_s * NS), "right") - 1
    moves = (log_mid[until] - log_mid[since]) * 1e4
    moves[(t_ns[until] < late - FRESH_NS) | (late > t_ns[-1])] = np.nan
    return moves


# ---------------------------------------------------------------------- ridge
class _Hours:
    """Normal equations of each hour, so that leaving one out is a subtraction."""

    def __init__(self, z: Any, y: Any, t_ns: Any) -> None:
        late = t_ns % HOUR_NS < HOUR_NS - max(HORIZONS_S) * NS
        self.known = np.isfinite(y) & late
        self.z, self.y = z[self.known], np.clip(y[self.known], -LABEL_MAX_BPS, LABEL_MAX_BPS)
        self.raw = y[self.known]
        self.hour = t_ns[self.known] // HOUR_NS
        self.hours = np.unique(self.hour)
        self._gram = [self.z[self.hour == h].T @ self.z[self.hour == h] for h in self.hours]
        self._moment = [self.z[self.hour == h].T @ self.y[self.hour == h] for h in self.hours]
        self._count = [int((self.hour == h).sum()) for h in self.hours]

    def weights(self, penalty: float, without: int | None = None) -> Any:
        """Ridge weights of all hours, or of all but one."""
        used = [k for k in range(len(self.hours)) if k != without]
        gram, moment = sum(self._gram[k] for k in used), sum(self._moment[k] for k in used)
        n = sum(self._count[k] for k in used)
        return np.linalg.solve(gram / n + penalty * np.eye(self.z.shape[1]), moment / n)

    def held_back(self, penalty: float) -> Any:
        """Each hour's forecasts by the weights of the other hours."""
        forecast = np.zeros(len(self.y))
        for k, hour in enumerate(self.hours):
            mine = self.hour == hour
            forecast[mine] = self.z[mine] @ self.weights(penalty, k)
        return forecast


def score(moves: Any, forecast: Any, hours: Any) -> Score:
    """R2 against a forecast of no move, with its hour-block interval."""
    ok = np.isfinite(moves)
    moves, forecast, hours = moves[ok], forecast[ok], hours[ok]
    shares, weights, blocks = [], [], []
    for hour in np.unique(hours):
        mine = hours == hour
        total = float((moves[mine] ** 2).sum())
        if total > 0.0:
            shares.append(1.0 - float(((moves[mine] - forecast[mine]) ** 2).sum()) / total)
            weights.append(total)
            blocks.append(int(hour))
    found = bootstrap_mean(shares, weights, blocks, seed=SEED, level=LEVEL)
    return Score(found.mean, found.lo, found.hi) if found else Score(0.0, None, None)


def standardised(x: Any, deviations: Any) -> Any:
    """As `forecast_bps` does it."""
    safe = np.where(deviations > 0.0, deviations, np.inf)
    return np.clip(x / safe, -Z_MAX, Z_MAX)


def fit_horizon(samples: Samples, inside: Samples, z: Any, seconds: int, latency_s: float) -> Horizon:
    """One regression with its penalty and its figures on left-out hours."""
    hours = _Hours(z, labels(samples, inside.t_ns, seconds), inside.t_ns)
    losses = [float(((hours.y - hours.held_back(p)) ** 2).sum()) for p in PENALTIES]
    penalty = PENALTIES[int(np.argmin(losses))]
    late = labels(samples, inside.t_ns, seconds, latency_s)[hours.known]
    forecast = hours.held_back(penalty)
    weights = [float(w) for w in hours.weights(penalty)]
    return Horizon(seconds, penalty, weights, score(hours.raw, forecast, hours.hour), score(late, forecast, hours.hour))


def fit(
    samples: Samples,
    span: tuple[int, int],
    settings: Settings,
    latency_ms: float = LATENCY_MS,
    references: tuple[str, ...] = (),
) -> Card:
    """The card of a forecast fitted on the samples of `span`; raises BadInput when there are too few.

    `references`: coins of the other markets that the samples have features of, in their order.
    """
    inside = within(samples, span)
    hours = len(np.unique(inside.t_ns // HOUR_NS))
    if hours < HOURS_MIN:
        raise BadInput("too_short", f"{hours} hours of data, {HOURS_MIN} at least")
    deviations = inside.x.std(axis=0)
    z = standardised(inside.x, deviations)
    found = [fit_horizon(samples, inside, z, seconds, latency_ms / 1e3) for seconds in HORIZONS_S]
    quoted = np.array(next(h.weights for h in found if h.seconds == QUOTED_S))
    return Card(
        schema=SCHEMA,
        profile=settings.profile,
        coin=settings.market.coin,
        start_t_ns=int(inside.t_ns[0]),
        end_t_ns=int(inside.t_ns[-1]),
        data=[],
        samples=len(inside.t_ns),
        hours=hours,
        features=list(names(references)),
        references=list(references),
        deviations=[float(d) for d in deviations],
        horizon_s=QUOTED_S,
        forecast_deviation_bps=float((z @ quoted).std()),
        latency_ms=latency_ms,
        horizons=found,
        config_hash=settings.config_hash(),
    )


def judged(card: Card, samples: Samples, span: tuple[int, int]) -> dict[int, Score]:
    """A card's R2 by horizon on the samples of another span."""
    inside = within(samples, span)
    z = standardised(inside.x, np.array(card.deviations))
    return {
        h.seconds: score(labels(samples, inside.t_ns, h.seconds), z @ np.array(h.weights), inside.t_ns // HOUR_NS)
        for h in card.horizons
    }


# ---------------------------------------------------------------------- command
def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quoter fit", description="fit the forecast of one market")
    parser.add_argument("--market", default="us500", help="profile in config/")
    parser.add_argument("--data", nargs="+", required=True, help="recorded files or a folder: .npz, or the feed's own")
    parser.add_argument(
        "--reference", nargs="+", action="append", default=[], metavar="PROFILE PATH",
        help="another market's recordings of the same time, its profile first; may be given up to four times",
    )  # fmt: skip
    parser.add_argument("--span", default="", help="START/END in UTC of the recording; default: all of it")
    parser.add_argument("--latency", type=float, default=LATENCY_MS, help="ms until we can act (evidence only)")
    parser.add_argument("--out", type=Path, default=None, help="default models/MARKET.json")
    told = parser.parse_args(arguments)
    try:
        return run(told)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CONFIG
    except BadInput as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAULT


def run(told: argparse.Namespace) -> int:
    if not COMPILED:
        raise ConfigError("fitting needs compiled kernels: unset AMM_KERNELS")
    settings = load("quoter", over={"MARKET": told.market})
    own = Other(settings.market.coin, settings.venue.sz_decimals, tuple(recordings(told.data, told.market)))
    beside = others_of(told.reference)
    samples = read_samples(own, beside)
    span = span_ns(told.span) if told.span else (int(samples.t_ns[0]), int(samples.t_ns[-1]) + 1)
    card = fit(samples, span, settings, told.latency, tuple(other.coin for other in beside))
    data = [Data(path.name, digest(path)) for market in (own, *beside) for path in market.paths]
    return keep(replace_data(card, data), told.out or model_path(settings))


def replace_data(card: Card, data: list[Data]) -> Card:
    return msgspec.structs.replace(card, data=data)


def keep(card: Card, path: Path) -> int:
    """Write the card, unless it is refused and an accepted one is there; say what it is worth."""
    for h in card.horizons:
        sys.stdout.write(f"R2 at {h.seconds:2d} s on left-out hours {said(h.r2)}, acted on late {said(h.r2_late)}\n")
    if card.refusal and is_accepted(path):
        sys.stdout.write(f"not accepted: {card.refusal}; {path} is kept\n")
        return EXIT_REFUSED
    write_card(card, path)
    sys.stdout.write(f"{path}: {'not accepted: ' + card.refusal if card.refusal else 'accepted'}\n")
    return EXIT_REFUSED if card.refusal else EXIT_OK


def is_accepted(path: Path) -> bool:
    try:
        return not read_card(path).refusal
    except BadInput:
        return False


def said(found: Score) -> str:
    if found.lo is None or found.hi is None:
        return f"{found.mean:.3f}"
    return f"{found.mean:.3f} [{found.lo:.3f}, {found.hi:.3f}]"
