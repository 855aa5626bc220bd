"""The record of a decision in words: one line a stage, for the command line and the control page alike.

Decides the wording only; what the numbers are is said in `common/messages.py` (QuoteRecord). Prices as the venue
writes them, distances bps of the fair price, money USD.
"""

from __future__ import annotations

from collections.abc import Iterator

from common.messages import QuoteRecord
from common.ticks import px_decimals

VOL_MODES = ("normal", "defensive", "pulled")
ADAPTIVE_MODES = ("defensive", "moderate", "normal", "aggressive", "very aggressive")
NOT_QUOTED_BPS = 1e5


def stages(r: QuoteRecord) -> Iterator[tuple[str, str]]:
    """(stage, what it was given and what it made of it)."""
    usd = 10.0 ** -px_decimals(r.sz_decimals)
    n = px_decimals(r.sz_decimals)
    held_usd = r.position_u * r.fair_px * 1e-6
    yield (
        "market",
        (
            f"bid {r.bid_px_u * usd:.{n}f}, ask {r.ask_px_u * usd:.{n}f}, oracle {r.oracle_px * usd:.{n}f}; depth "
            f"{r.depth_usd[0]:,.0f} / {r.depth_usd[1]:,.0f} USD, imbalance {r.imbalance:+.2f}, "
            f"{'liquid' if r.is_liquid else 'not liquid'}"
        ),
    )
    if r.forecast_weight > 0.0:
        base = f"mid {r.mid_px * usd:.{n}f} {r.forecast_weight:g} x {r.forecast_bps:+.3f} bps forecast"
        base += f" (deviation {r.forecast_sd_bps:.2f})" if r.forecast_sd_bps > 0.0 else ""
    else:
        base = f"microprice {r.micro_px * usd:.{n}f} (mid {r.mid_px * usd:.{n}f}, no accepted forecast)"
    moved = f"; the position moves the centre by {-r.centre_bps:+.2f} bps" if r.centre_bps else ""
    yield (
        "fair",
        f"{r.fair_px * usd:.{n + 2}f} from {base}{moved}",
    )
    yield (
        "volatility",
        (
            f"60 s {r.vol_fast:.1%}, 600 s {r.vol_slow:.1%}, used {r.vol_used:.1%}"
            f"{'' if r.vol_known else ' (too little data: widest row)'}, {VOL_MODES[r.vol_mode]}"
        ),
    )
    yield "range", f"{r.lo_bps:.3f} to {r.hi_bps:.3f} bps"
    yield (
        "widening",
        (
            f"x {r.widening:.3f} = imbalance {r.by_imbalance:.3f} x depth {r.by_depth:.3f} x illiquid "
            f"{r.by_illiquid:.3f} x session {r.by_session:.3f} x permit {r.by_permit:.3f}"
        ),
    )
    yield (
        "floor",
        (
            f"fee {r.fee_bps:.3f}, safety {r.safety_bps:.3f}, tick {r.tick_bps:.3f}, prior {r.prior_bps:.3f} bps; "
            f"bids {_floors(r.floors_bid)}, asks {_floors(r.floors_ask)}"
        ),
    )
    yield (
        "",
        "; ".join(
            f"{word}: {fills} fills marked out" + (f", at most {bound:.2f} bps against us (80 %)" if fills else "")
            for word, fills, bound in zip(("bids", "asks"), r.marked_out, r.adverse_bps, strict=True)
        ),
    )
    yield (
        "position",
        (
            f"{held_usd:+.2f} USD, delta {r.delta:+.4f}, margin {r.margin_ratio:.1%}, urgency {r.urgency:.3f}: "
            f"bids x {r.tilt[0]:.3f}, asks x {r.tilt[1]:.3f}{', reducing only' if r.is_reducing_only else ''}"
        ),
    )
    mode = "" if r.adaptive_mode < 0 else f"; mode {ADAPTIVE_MODES[r.adaptive_mode]}"
    yield (
        "own fills",
        (
            f"fade: bids x {r.fade[0]:.3f} at x {r.fade_size[0]:.2f} size, asks x {r.fade[1]:.3f} at x "
            f"{r.fade_size[1]:.2f} size{mode}"
        ),
    )
    yield (
        "sizes",
        (
            f"cap {r.hard_usd:.2f} USD of {r.equity_usd:.2f} equity, permit x {r.size_scale:.2f}, session x "
            f"{r.session_size:.2f}; budgets {r.budget_usd[0]:.2f} / {r.budget_usd[1]:.2f} USD"
        ),
    )
    yield (
        "levels",
        (
            f"{r.levels[0]} / {r.levels[1]} asked for, {r.merged} merged; enlarged by depth {_places(r.thick)}, "
            f"made smaller {_places(r.thin)}"
        ),
    )


def _floors(needs: list[float]) -> str:
    """One figure, or one a band of distance, nearest first; `-` = not quoted there."""
    return " ".join("-" if need >= NOT_QUOTED_BPS else f"{need:.3f}" for need in needs)


def _places(masks: tuple[int, int]) -> str:
    sides = [[str(i) for i in range(mask.bit_length()) if mask >> i & 1] for mask in masks]
    return " / ".join(",".join(side) or "none" for side in sides)
