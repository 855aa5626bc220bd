"""`python -m quoter explain --from-recording PATH --at T`: why the quotes at a moment would have been what they are.

The recording is played through the very engine that quotes live, from `--warm` minutes before T on, for an account as
told (equity, position, fee; permit active, nothing filled). Then the record of the shown ladder is printed stage by
stage, and beside every level whether the record's numbers make that price again. Prices as the venue writes them,
distances bps of the fair price. Nothing of ours was in the recorded book, and nothing here asks what would have filled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from common.config import Settings, load
from common.errors import EXIT_CONFIG, EXIT_FAULT, EXIT_OK, BadInput, ConfigError
from common.events import BatchEnd
from common.fees import PPB_PER_BPS, market_fees
from common.messages import (
    AccountState,
    Ladder,
    Level,
    MarketSpec,
    Mode,
    Position,
    QuoteRecord,
    RiskPermit,
    Tick,
)
from common.ticks import px_decimals
from common.why import stages
from quoter.card_file import ModelWatch
from quoter.engine import QuoteEngine
from quoter.events import Model
from quoter.record import levels_again
from quoter.report import levels_of
from quoter.retold import retold
from quoter.state import ASK_SIDE, BID_SIDE, BPS, NS, make_params

BASE_MAKER, BASE_TAKER = "0.00015", "0.00045"
"""The venue's fees of tier 0 (hyperliquid.md 8), for an account nobody has told us of."""
PERMIT_NS = NS // 4
TICK_NS = NS // 20


# ---------------------------------------------------------------------- playing
class Told:
    """The account and permit the quoter is told of."""

    def __init__(self, settings: Settings, equity_usd: float, position_u: int, fee_bps: float | None) -> None:
        self._settings, self._equity, self._position_u = settings, equity_usd, position_u
        v = settings.venue
        ppb = market_fees(
            BASE_MAKER, BASE_TAKER, scale=f"{v.deployer_fee_scale:g}", growth=v.growth_mode, aligned=v.aligned
        ).maker_ppb
        self.fee_ppb = ppb if fee_bps is None else round(fee_bps * PPB_PER_BPS)

    def spec(self, t_ns: int) -> MarketSpec:
        m, v = self._settings.market, self._settings.venue
        return MarketSpec(t_ns, m.coin, 0, v.sz_decimals, v.max_leverage, m.collateral, v.growth_mode, False)

    def account(self, t_ns: int) -> AccountState:
        held = [Position(self._settings.market.coin, self._position_u, 0.0, 0, 0)] if self._position_u else []
        return AccountState(
            t_ns=t_ns, venue_t_ns=t_ns, equity_e8=round(self._equity * 1e8), margin_used_e8=0, maintenance_e8=0,
            positions=held, open_orders=0, unknown_orders=0, actions_used=0, actions_cap=10_000,
            maker_fee_ppb=self.fee_ppb, taker_fee_ppb=None, reconciled=True,
        )  # fmt: skip

    def permit(self, t_ns: int) -> RiskPermit:
        risk = self._settings.risk
        return RiskPermit(
            t_ns=t_ns, version=1, mode=Mode.ACTIVE, size_scale=1.0, spread_scale=1.0,
            soft_usd=risk.soft_ratio * self._equity, hard_usd=risk.hard_ratio * self._equity, margin_ratio=0.0,
            drawdown=0.0, expires_t_ns=t_ns + round(risk.permit_ttl_s * NS), reasons=[],
        )  # fmt: skip


def play(settings: Settings, told: Told, path: Path, from_t_ns: int, at_t_ns: int) -> QuoteEngine:
    """The engine after everything that was recorded up to `at_t_ns`."""
    engine = QuoteEngine(settings)
    watch = ModelWatch(settings)
    watch.look(at_t_ns)
    if watch.in_use is not None and watch.in_use.references:
        beside = ", ".join(watch.in_use.references)
        raise ConfigError(f"the forecast in use hears {beside} too, of which this recording says nothing")
    engine.on(Model(watch.in_use))
    permit_t_ns, last_t_ns = 0, 0
    for t_ns, messages in retold(path, settings.market.coin, settings.venue.sz_decimals, from_t_ns, at_t_ns):
        if not last_t_ns:
            engine.on(Tick(t_ns, t_ns))
            engine.on(told.spec(t_ns))
            engine.on(told.account(t_ns))
        last_t_ns = t_ns
        if t_ns - permit_t_ns >= PERMIT_NS:
            permit_t_ns = t_ns
            engine.on(told.permit(t_ns))
        engine.on(Tick(t_ns, t_ns))
        for message in messages:
            engine.on(message)
        engine.on(BatchEnd(t_ns, t_ns))
    if not last_t_ns:
        raise BadInput("nothing_there", f"{path.name}: nothing was recorded in that span")
    engine.on(Tick(at_t_ns, at_t_ns))
    engine.on(told.permit(at_t_ns))
    for late_ns in range(TICK_NS, 3 * TICK_NS, TICK_NS):  # what is too old now is only believed at the second look
        engine.on(Tick(at_t_ns + late_ns, at_t_ns + late_ns))
    return engine


# ---------------------------------------------------------------------- telling
def iso(t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns / NS, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def explained(ladder: Ladder, settings: Settings, at_t_ns: int) -> Iterator[str]:
    """The ladder and its record as lines of text."""
    yield f"{ladder.coin} at {iso(at_t_ns)}: {len(ladder.bids)} bids, {len(ladder.asks)} asks"
    if ladder.reasons:
        yield f"  withheld because: {', '.join(ladder.reasons)}"
    record = ladder.record
    if record is None:
        yield "  no decision was made: the reasons above stop it before any stage"
        return
    what = f"profile {settings.quoting.profile}, config {settings.config_hash()}"
    yield f"  decided at {iso(record.decided_t_ns)}, {what}"
    for title, text in stages(record):
        yield f"  {title:11} {text}"
    yield from _levels(ladder, record, settings)


def _levels(ladder: Ladder, record: QuoteRecord, settings: Settings) -> Iterator[str]:
    n, d = px_decimals(record.sz_decimals), record.sz_decimals
    again = levels_again(record, make_params(settings))
    same = True
    yield f"  {'':4} {'price':>14} {'size':>12} {'USD':>10} {'bps from fair':>14}"
    for word, side, shown in (("ask", ASK_SIDE, ladder.asks), ("bid", BID_SIDE, ladder.bids)):
        made: list[Level] = levels_of(again, side)
        same &= made == shown
        numbered = list(enumerate(shown))
        for level, row in reversed(numbered) if side == ASK_SIDE else numbered:
            bps = (row.px_u / record.fair_px - 1.0) / BPS
            yield (
                f"  {word} {level:<2}{row.px_u / 10**n:>12.{n}f} {row.sz_u / 10**d:>14.{d}f} "
                f"{row.px_u * row.sz_u * 1e-6:>10.2f} {bps:>+14.3f}"
            )
    yield f"  the record's numbers make {'these very levels' if same else 'OTHER levels: this is a fault'}"


# ---------------------------------------------------------------------- command
def moment_ns(text: str) -> int:
    """ISO time (UTC unless it says otherwise), or a whole number of ns."""
    if text.isdigit():
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"--at {text!r}: an ISO time, for example 2026-01-07T12:00:00, or ns") from None
    return int(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1e6) * 1000


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quoter explain", description="why the quotes were what they are")
    parser.add_argument("--from-recording", type=Path, required=True, help=".npz, .rec, or a folder of ours")
    parser.add_argument("--at", required=True, help="moment of the recording, ISO (UTC) or ns")
    parser.add_argument("--market", default="us500", help="profile in config/")
    parser.add_argument("--profile", default="", help="tiered, lean or glft")
    parser.add_argument("--warm", type=float, default=20.0, help="minutes of the recording before T that are played")
    parser.add_argument("--equity", type=float, default=None, help="USD; default: the configured one")
    parser.add_argument("--position", type=float, default=0.0, help="held, in coins, long > 0")
    parser.add_argument("--fee", type=float, default=None, help="maker fee, bps; default: tier 0 on this market")
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
    over = {"MARKET": told.market} | ({"PROFILE": told.profile} if told.profile else {})
    settings = load("quoter", over=over)
    at_t_ns = moment_ns(told.at)
    equity_usd = settings.equity_usd if told.equity is None else told.equity
    account = Told(settings, equity_usd, round(told.position * 10**settings.venue.sz_decimals), told.fee)
    engine = play(settings, account, told.from_recording, at_t_ns - round(told.warm * 60 * NS), at_t_ns)
    ladder = engine.ladder
    if ladder is None:
        raise BadInput("no_ladder", "nothing was decided in that span")
    for line in explained(ladder, settings, at_t_ns):
        sys.stdout.write(f"{line}\n")
    return EXIT_OK
