"""A decision in the words and numbers of the messages: levels, reasons, and what they were made from."""

from __future__ import annotations

from typing import Any

from common.messages import Level, QuoteInputs
from quoter.state import (
    ASK_SIDE,
    BID_SIDE,
    I_LIQUID,
    I_MODE,
    MODE_OFF,
    MODE_WORDS,
    O_COUNT,
    O_MERGED,
    O_ROWS,
    O_SIDE,
    O_WHY,
    S_DELTA,
    S_DEPTH,
    S_FADE,
    S_FAIR,
    S_FILL_A,
    S_FILL_K,
    S_HI,
    S_IMBALANCE,
    S_LO,
    S_MICRO,
    S_MID,
    S_NEAR,
    S_SIZE_SCALE,
    S_URGENCY,
    S_VOL_FAST,
    S_VOL_SLOW,
    WHY_WORDS,
    numbers,
)
from quoter.vol import vol_known

VOL_MAX = 1e4
BPS_MAX = 1e5


def levels_of(out: Any, side: int) -> list[Level]:
    """The levels of one side, best first."""
    begin = O_ROWS + side * O_SIDE
    flat = numbers(out, begin, begin + 2 * int(out[O_COUNT + side]))
    return [Level(px_u, sz_u) for px_u, sz_u in zip(flat[::2], flat[1::2], strict=True)]


def words_of(out: Any) -> list[str]:
    """Why sides are withheld: one word when it holds for both, else with the side in front."""
    bid, ask = int(out[O_WHY + BID_SIDE]), int(out[O_WHY + ASK_SIDE])
    found = []
    for bit, word in WHY_WORDS.items():
        if bid & ask & bit:
            found.append(word)
        elif bid & bit:
            found.append(f"bid_{word}")
        elif ask & bit:
            found.append(f"ask_{word}")
    return found


def inputs_of(state: Any, ints: Any, params: Any, out: Any, profile: str) -> QuoteInputs:
    """The numbers behind the newest decision, within the ranges of the message.

    The floors are those of the innermost levels: fee and safety alone where these only reduce the position.
    """
    f = [float(value) for value in numbers(state, 0, S_FADE + 2)]
    return QuoteInputs(
        mid_px=f[S_MID],
        fair_px=f[S_FAIR],
        micro_px=f[S_MICRO],
        vol_fast=min(f[S_VOL_FAST], VOL_MAX),
        vol_slow=min(f[S_VOL_SLOW], VOL_MAX),
        vol_known=bool(vol_known(ints, params)),
        half_lo_bps=f[S_LO],
        half_hi_bps=f[S_HI],
        floor_bid_bps=min(f[S_NEAR + BID_SIDE], BPS_MAX),
        floor_ask_bps=min(f[S_NEAR + ASK_SIDE], BPS_MAX),
        imbalance=f[S_IMBALANCE],
        depth_bid_usd=f[S_DEPTH + BID_SIDE],
        depth_ask_usd=f[S_DEPTH + ASK_SIDE],
        is_liquid=bool(ints[I_LIQUID]),
        delta=f[S_DELTA],
        urgency=f[S_URGENCY],
        fade_bid=f[S_FADE + BID_SIDE],
        fade_ask=f[S_FADE + ASK_SIDE],
        size_scale=f[S_SIZE_SCALE],
        merged_levels=int(out[O_MERGED]),
        profile=profile,
        fill_a_per_s=float(state[S_FILL_A]),
        fill_k_per_bps=float(state[S_FILL_K]),
        mode=MODE_WORDS[int(ints[I_MODE])] if ints[I_MODE] != MODE_OFF else "",
    )
