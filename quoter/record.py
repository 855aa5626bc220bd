"""The compact record of one decision: what it was given, what each stage made of it, and the levels made again from it.

`record_of` reads a decision just made, `vectors_of` puts a record back into the kernels' vectors, and `levels_again`
runs the last stages on them: with the same configuration they give the very levels that were shown, so a record cannot
say one thing while the quotes did another. Only places the stages read are restored; memory (rings, fits) is not.
"""

from __future__ import annotations

from typing import Any

from common.kernel import kernel
from common.messages import QuoteRecord
from quoter.adverse import floor_at_bps
from quoter.fade import fade_size
from quoter.floor import adverse_bound_bps, floor_prior_bps, tick_bps
from quoter.ladder import build_side, opposite_best
from quoter.sizing import level_count, thickness
from quoter.skew import hard_usd, tilt
from quoter.spread import depth_scale, imbalance_scale
from quoter.state import (
    ASK_SIDE,
    B_COUNT,
    B_ROWS,
    B_SIDE,
    BANDS,
    BID_SIDE,
    I_ADVERSE_N,
    I_DECIDED_T,
    I_LIQUID,
    I_MODE,
    I_POSITION,
    I_REDUCING,
    I_SZ_DECIMALS,
    I_VOL_MODE,
    NO_FLOOR,
    O_MERGED,
    O_WHY,
    P_BOOK_WIDENING,
    P_ILLIQUID_SPREAD,
    P_SAFETY,
    P_THICK_RATIO,
    P_THIN_RATIO,
    QUOTES_MAX,
    S_BUDGET,
    S_CENTRE,
    S_DELTA,
    S_DEPTH,
    S_EQUITY,
    S_FADE,
    S_FAIR,
    S_FEE,
    S_FLOOR,
    S_FORECAST,
    S_FORECAST_SD,
    S_FORECAST_WEIGHT,
    S_HI,
    S_IMBALANCE,
    S_LO,
    S_LOCAL,
    S_MARGIN,
    S_MICRO,
    S_MID,
    S_NEED,
    S_ORACLE,
    S_RING,
    S_SESSION_INVENTORY,
    S_SESSION_SIZE,
    S_SESSION_SPREAD,
    S_SIGMA,
    S_SIZE_SCALE,
    S_SPREAD_SCALE,
    S_STEP,
    S_URGENCY,
    S_VOL_FAST,
    S_VOL_SLOW,
    S_VOL_USED,
    S_WHOLE,
    S_WIDENING,
    VOL_DEFENSIVE,
    WHY_COLLAR,
    WHY_NO_BUDGET,
    new_book,
    new_out,
    new_state,
    numbers,
)
from quoter.vol import vol_known

BPS_MAX = 1e5
SCALE_MAX = 100.0
VOL_MAX = 1e4
LATE = WHY_COLLAR | WHY_NO_BUDGET
"""Reasons that only building the levels finds."""


# ---------------------------------------------------------------------- a decision -> its record
def record_of(state: Any, ints: Any, params: Any, book: Any, out: Any) -> QuoteRecord:
    """The record of the decision whose numbers still stand in the vectors."""
    s = [float(value) for value in numbers(state, 0, S_RING)]
    return QuoteRecord(
        decided_t_ns=int(ints[I_DECIDED_T]),
        bid_px_u=int(opposite_best(book, ASK_SIDE)),
        ask_px_u=int(opposite_best(book, BID_SIDE)),
        sz_decimals=int(ints[I_SZ_DECIMALS]),
        mid_px=s[S_MID],
        micro_px=s[S_MICRO],
        oracle_px=s[S_ORACLE],
        imbalance=s[S_IMBALANCE],
        depth_usd=(s[S_DEPTH], s[S_DEPTH + 1]),
        is_liquid=bool(ints[I_LIQUID]),
        forecast_bps=_bps(s[S_FORECAST]),
        forecast_weight=s[S_FORECAST_WEIGHT],
        forecast_sd_bps=_bps(s[S_FORECAST_SD]),
        fair_px=s[S_FAIR],
        centre_bps=_bps(s[S_CENTRE]),
        **_range_of(s, ints, params),
        **_widening_of(s, state, ints, params),
        **_floors_of(s, state, ints, params),
        **_position_of(s, state, ints, params),
        **_sizes_of(s, state, ints, params, out),
    )


def _range_of(s: list[float], ints: Any, params: Any) -> dict[str, Any]:
    return {
        "vol_fast": min(s[S_VOL_FAST], VOL_MAX), "vol_slow": min(s[S_VOL_SLOW], VOL_MAX),
        "vol_used": min(s[S_VOL_USED], VOL_MAX), "vol_known": bool(vol_known(ints, params)),
        "vol_mode": int(ints[I_VOL_MODE]), "sigma_bps": _bps(s[S_SIGMA]), "lo_bps": _bps(s[S_LO]),
        "hi_bps": _bps(s[S_HI]), "step_bps": _bps(s[S_STEP]),
    }  # fmt: skip


def _widening_of(s: list[float], state: Any, ints: Any, params: Any) -> dict[str, Any]:
    """The factors of S_WIDENING; asked again right after the decision, the rules with memory give what they gave."""
    by_book = params[P_BOOK_WIDENING] > 0.0
    return {
        "by_imbalance": float(imbalance_scale(state, ints, params)) if by_book else 1.0,
        "by_depth": float(depth_scale(state, ints, params)) if by_book else 1.0,
        "by_illiquid": 1.0 if ints[I_LIQUID] else float(params[P_ILLIQUID_SPREAD]),
        "by_permit": _scale(max(s[S_SPREAD_SCALE], 1.0)),
        "by_session": _scale(s[S_SESSION_SPREAD]) if s[S_SESSION_SPREAD] > 0.0 else 1.0,
        "widening": s[S_WIDENING],
    }


def _floors_of(s: list[float], state: Any, ints: Any, params: Any) -> dict[str, Any]:
    needs = [[_bps(value) for value in numbers(state, S_NEED + BANDS * k, S_NEED + BANDS * (k + 1))] for k in (0, 1)]
    bid, ask = (need[:1] if len(set(need)) == 1 else need for need in needs)
    return {
        "fee_bps": s[S_FEE], "safety_bps": float(params[P_SAFETY]), "prior_bps": float(floor_prior_bps(state, params)),
        "tick_bps": float(tick_bps(s[S_FAIR], int(ints[I_SZ_DECIMALS]))),
        "marked_out": (int(ints[I_ADVERSE_N]), int(ints[I_ADVERSE_N + 1])),
        "adverse_bps": _pair(_bps(adverse_bound_bps(state, ints, side)) for side in (BID_SIDE, ASK_SIDE)),
        "floors_bid": bid, "floors_ask": ask,
    }  # fmt: skip


def _position_of(s: list[float], state: Any, ints: Any, params: Any) -> dict[str, Any]:
    t_ns = int(ints[I_DECIDED_T])
    return {
        "position_u": int(ints[I_POSITION]), "is_reducing_only": bool(ints[I_REDUCING]), "delta": s[S_DELTA],
        "margin_ratio": s[S_MARGIN], "urgency": s[S_URGENCY],
        "tilt": _pair(_scale(float(tilt(state, ints, params, side))) for side in (BID_SIDE, ASK_SIDE)),
        "fade": (_scale(s[S_FADE]), _scale(s[S_FADE + 1])),
        "fade_size": _pair(float(fade_size(ints, params, side, t_ns)) for side in (BID_SIDE, ASK_SIDE)),
        "adaptive_mode": int(ints[I_MODE]),
    }  # fmt: skip


def _sizes_of(s: list[float], state: Any, ints: Any, params: Any, out: Any) -> dict[str, Any]:
    whys = _pair(int(out[O_WHY + side]) for side in (BID_SIDE, ASK_SIDE))
    levels = _pair(
        0 if whys[side] & ~LATE else _asked(params, s[S_WHOLE + side], s[S_FAIR], int(ints[I_VOL_MODE]))
        for side in (BID_SIDE, ASK_SIDE)
    )
    return {
        "equity_usd": s[S_EQUITY], "hard_usd": float(hard_usd(state, params)), "size_scale": s[S_SIZE_SCALE],
        "session_size": _scale(s[S_SESSION_SIZE]), "session_inventory": _scale(s[S_SESSION_INVENTORY]),
        "budget_usd": (s[S_BUDGET], s[S_BUDGET + 1]), "whole_usd": (s[S_WHOLE], s[S_WHOLE + 1]),
        "levels": levels, "merged": int(out[O_MERGED]), "why": whys,
        "thick": _pair(int(resized(state, params, side, levels[side], 1)) for side in (BID_SIDE, ASK_SIDE)),
        "thin": _pair(int(resized(state, params, side, levels[side], -1)) for side in (BID_SIDE, ASK_SIDE)),
    }  # fmt: skip


@kernel("i8(f8[::1], f8[::1], i8, i8, i8)")
def resized(state: list[float], params: list[float], side: int, levels: int, direction: int) -> int:
    """Mask of the levels that the local depth enlarged (direction 1) or made smaller (-1)."""
    mask = 0
    bit = 1
    for i in range(levels):
        factor = thickness(params, state[S_LOCAL + side * QUOTES_MAX + i])
        if float(direction) * (factor - 1.0) > 0.0:
            mask += bit
        bit *= 2
    return mask


def _asked(params: Any, whole_usd: float, fair_px: float, vol_mode: int) -> int:
    """How many levels a side is asked for; one in a defensive market."""
    levels = int(level_count(params, whole_usd, fair_px))
    return min(levels, 1) if vol_mode == VOL_DEFENSIVE else levels


def _pair(values: Any) -> tuple[Any, Any]:
    first, second = values
    return first, second


def _bps(value: float) -> float:
    return min(max(float(value), -BPS_MAX), BPS_MAX)


def _scale(value: float) -> float:
    return min(max(float(value), 0.0), SCALE_MAX)


# ---------------------------------------------------------------------- a record -> its levels
def vectors_of(record: QuoteRecord, params: Any) -> tuple[Any, Any, Any]:
    """(state, ints, book) as the stages that make levels find them."""
    state, ints = new_state()
    r = record
    for place, value in (
        (S_MID, r.mid_px), (S_MICRO, r.micro_px), (S_ORACLE, r.oracle_px), (S_FORECAST, r.forecast_bps),
        (S_FORECAST_WEIGHT, r.forecast_weight), (S_FORECAST_SD, r.forecast_sd_bps), (S_FAIR, r.fair_px),
        (S_CENTRE, r.centre_bps), (S_SIGMA, r.sigma_bps), (S_LO, r.lo_bps), (S_HI, r.hi_bps), (S_STEP, r.step_bps),
        (S_WIDENING, r.widening), (S_FEE, r.fee_bps), (S_URGENCY, r.urgency), (S_DELTA, r.delta),
        (S_MARGIN, r.margin_ratio), (S_EQUITY, r.equity_usd), (S_SIZE_SCALE, r.size_scale),
        (S_SESSION_SIZE, r.session_size), (S_SESSION_INVENTORY, r.session_inventory),
    ):  # fmt: skip
        state[place] = value
    for place, number in (
        (I_SZ_DECIMALS, r.sz_decimals), (I_POSITION, r.position_u), (I_REDUCING, int(r.is_reducing_only)),
        (I_MODE, r.adaptive_mode), (I_VOL_MODE, r.vol_mode), (I_LIQUID, int(r.is_liquid)),
        (I_DECIDED_T, r.decided_t_ns),
    ):  # fmt: skip
        ints[place] = number
    for side, needs in ((BID_SIDE, r.floors_bid), (ASK_SIDE, r.floors_ask)):
        _restore_side(state, ints, params, r, side, needs)
    book = new_book()
    for side, px_u in ((BID_SIDE, r.bid_px_u), (ASK_SIDE, r.ask_px_u)):
        book[B_COUNT + side] = 1 if px_u else 0
        book[B_ROWS + side * B_SIDE] = px_u
    return state, ints, book


def _restore_side(state: Any, ints: Any, params: Any, r: QuoteRecord, side: int, needs: list[float]) -> None:
    ints[I_ADVERSE_N + side] = r.marked_out[side]
    state[S_FADE + side] = r.fade[side]
    state[S_BUDGET + side], state[S_WHOLE + side] = r.budget_usd[side], r.whole_usd[side]
    for band in range(BANDS):
        need = needs[band if len(needs) > 1 else 0]
        state[S_NEED + side * BANDS + band] = need if need < BPS_MAX else NO_FLOOR
    state[S_FLOOR + side] = floor_at_bps(state, side, r.tick_bps)
    for level in range(QUOTES_MAX):
        ratio = 1.0
        if r.thick[side] >> level & 1:
            ratio = 2.0 * params[P_THICK_RATIO]
        elif r.thin[side] >> level & 1:
            ratio = 0.5 * params[P_THIN_RATIO]
        state[S_LOCAL + side * QUOTES_MAX + level] = ratio


def levels_again(record: QuoteRecord, params: Any) -> Any:
    """The ladder (`O_*`) that the record's numbers make."""
    state, ints, book = vectors_of(record, params)
    out = new_out()
    for side in (BID_SIDE, ASK_SIDE):
        out[O_WHY + side] = record.why[side] & ~LATE
        if out[O_WHY + side] == 0 and record.mid_px > 0.0:
            build_side(state, ints, params, book, side, record.levels[side], out)
    return out
