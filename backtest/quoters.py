"""The quoters that are compared: what each of them is in numbers.

`tiered`, `lean` and every other profile of the configuration are the production ladder with all its stages; the others
are ladders of fixed distances (`loop/fixed.py`). `symmetric`, `touch`, `grid` and `seeds` are what one might do without
a forecast, `best_fixed` the symmetric distance that would have been best in hindsight, `bare_lean` the study's lean
without floor, caps and fades, `placebo` is `lean` with the forecast of another hour. Sizes are shares of the inventory
cap, which counts what is held and what rests. Source of the numbers: edge.md 3 and 6, the study's quoters.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from backtest.loop.deciding import FIXED, PRODUCTION, REFERENCE
from backtest.loop.fixed import new_fixed
from backtest.loop.reference import new_reference
from quoter.state import S_EQUITY, S_FEE, S_HARD, S_SIZE_SCALE, S_SOFT, S_SPREAD_SCALE, make_params, new_state

if TYPE_CHECKING:
    from common.config import Settings

LEAN_DISTANCES_BPS = (1.3, 1.8, 2.3)
LEAN_OUT_BPS = 0.5
LEAN_IN_BPS = 0.2
LEAN_SKEW_BPS = 2.0
SIDE_GATE = 1.0
"""Forecast deviations a side's forecast must have in its favour."""
STRICT_TICKS = 2
"""Kept from the opposite best when placing strictly (edge.md 1)."""
HINDSIGHT_BPS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True, slots=True)
class Quoter:
    """One quoter as the compiled loop takes it."""

    name: str
    profile: int
    params: Any
    lean: Any
    tick_px_u: int
    new_state: Callable[[], tuple[Any, Any]]
    cycle_ms: float = 0.0  # decides at most so often, and plans what waits no oftener
    step_ms: float = 0.0  # decides by the clock, so often; 0 = when the book is told
    uses_forecast: bool = False
    executes: Settings | None = None  # orders are the executor's: planned, priced and throttled by these settings


@dataclass(frozen=True, slots=True)
class Stall:
    """What all quoters share: settings, fee (bps), tick (px_u) and ticks kept from the opposite best."""

    settings: Settings
    fee_bps: float
    tick_px_u: int
    strict: bool

    @property
    def cap_usd(self) -> float:
        return self.settings.risk.hard_ratio * self.settings.equity_usd

    def quoter(self, name: str, lean: Any, **more: Any) -> Quoter:
        made = Quoter(name, FIXED, make_params(self.settings), lean, self.tick_px_u, self._told)
        return replace(made, **more)

    def ladder(self, distances: Sequence[float], shares: Sequence[float], **more: Any) -> Any:
        cap, ticks = self.cap_usd, STRICT_TICKS if self.strict else 1
        return new_fixed(distances, [cap * s / sum(shares) for s in shares], cap_usd=cap, ticks=ticks, **more)

    def _told(self) -> tuple[Any, Any]:
        """A quoter's state with what account and permit would tell."""
        state, ints = new_state()
        settings = self.settings
        for place, value in (
            (S_EQUITY, settings.equity_usd), (S_FEE, self.fee_bps), (S_HARD, self.cap_usd),
            (S_SOFT, settings.risk.soft_ratio * settings.equity_usd), (S_SIZE_SCALE, 1.0), (S_SPREAD_SCALE, 1.0),
        ):  # fmt: skip
            state[place] = value
        return state, ints


def symmetric(stall: Stall) -> Quoter:
    """Five equal levels round the mid from 1.3 bps outwards, half a bps apart (B0 of edge.md)."""
    distances = [1.3 + 0.5 * k for k in range(5)]
    return stall.quoter("symmetric", stall.ladder(distances, [1.0] * 5, skew_bps=1.0, out_bps=0.2, in_bps=0.6))


def touch(stall: Stall) -> Quoter:
    """All of the cap at the touch, both sides, joining it: never better than the best price shown."""
    return stall.quoter("touch", stall.ladder((0.0,), (1.0,), join=True, out_bps=0.2, in_bps=0.2))


def fixed(stall: Stall, distance_bps: float, name: str = "fixed") -> Quoter:
    """Three equal levels from a fixed distance of the mid outwards, half a bps apart."""
    distances = [distance_bps + 0.5 * k for k in range(3)]
    lean = stall.ladder(distances, (1.0, 1.0, 1.0), skew_bps=LEAN_SKEW_BPS, out_bps=LEAN_OUT_BPS, in_bps=LEAN_IN_BPS)
    return stall.quoter(name, lean)


def grid(stall: Stall) -> Quoter:
    """The old strategy: 20 levels a side, 1 bps apart, anew every 3 s."""
    lean = stall.ladder([float(k) for k in range(1, 21)], [1.0] * 20, out_bps=0.0, in_bps=0.0)
    return stall.quoter("grid", lean, cycle_ms=3_000.0)


def seeds(stall: Stall) -> Quoter:
    """The seeds' tiered ladder without floor: 15 levels from 1 to 50 bps, 70 / 20 / 10 %, every second, their skew."""
    distances: list[float] = []
    for first, last in ((1.0, 5.0), (5.0, 15.0), (15.0, 50.0)):
        distances += [first * math.exp(k / 5 * math.log(last / first)) for k in range(5)]
    tilt = stall.settings.quoting.delta_full * stall.settings.quoting.delta_scale * stall.settings.equity_usd
    lean = stall.ladder(distances, [14.0] * 5 + [4.0] * 5 + [2.0] * 5, tilt_usd=tilt, out_bps=0.0, in_bps=0.0)
    return stall.quoter("seeds", lean, cycle_ms=1_000.0)


def production(stall: Stall, profile: str, name: str = "", *, weight: float, executes: bool = False) -> Quoter:
    """The production ladder of a profile; `weight` is the forecast's in the fair price, 0 = there is none.

    `executes`: the production executor too, with its action budget; else a plain desk that follows the ladder.
    """
    settings = profiled(stall.settings, profile, strict=stall.strict)
    q = settings.quoting
    watch = new_fixed((), (), weight=weight, cap_usd=stall.cap_usd, out_bps=q.out_bps, in_bps=q.in_bps)
    return stall.quoter(
        name or profile, watch, profile=PRODUCTION, params=make_params(settings), uses_forecast=weight > 0.0,
        executes=settings if executes else None,
    )  # fmt: skip


def reference(stall: Stall, size_u: int, step_ms: float) -> Quoter:
    """The plain ladder of `loop/reference.py`, decided by the clock."""
    lean = new_reference(stall.tick_px_u, size_u)
    return stall.quoter("reference", lean, profile=REFERENCE, step_ms=step_ms)


def profiled(settings: Settings, profile: str, *, strict: bool) -> Settings:
    """The same market with another profile; what the market's file says still counts."""
    said = settings.quoting.model_dump(exclude_unset=True)
    said["profile"] = profile
    if strict:
        said["ticks_from_opposite"] = STRICT_TICKS
    return settings.model_copy(update={"quoting": type(settings.quoting).model_validate(said)})


def bare_lean(stall: Stall, deviation_bps: float) -> Quoter:
    """Three levels round the forecast price, a side only while the forecast speaks for it, and nothing else."""
    made = stall.ladder(
        LEAN_DISTANCES_BPS, (1.0, 1.0, 1.0), weight=1.0, gate_bps=SIDE_GATE * deviation_bps, skew_bps=LEAN_SKEW_BPS,
        out_bps=LEAN_OUT_BPS, in_bps=LEAN_IN_BPS,
    )  # fmt: skip
    return stall.quoter("bare_lean", made, uses_forecast=True)
