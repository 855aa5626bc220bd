"""An account as the venue shows it: margin, positions, fees, funding and volume, in the venue's JSON.

The core keeps one pool of collateral an address; every dex that has a traded market shows that pool with its own
positions (a client trades one dex at a time here). Money is 1e-8 quote until it is written.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from simvenue.events import Account, UserFill
from simvenue.exchange import Exchange
from simvenue.universe import Universe
from simvenue.wire import Json, Wire, decimal, money, ms, rate

_TIERS = (  # docs: volume over 14 days, taker, maker
    (5_000_000, "0.0004", "0.00012"),
    (25_000_000, "0.00035", "0.00008"),
    (100_000_000, "0.0003", "0.00004"),
    (500_000_000, "0.00028", "0.0"),
    (2_000_000_000, "0.00026", "0.0"),
    (7_000_000_000, "0.00024", "0.0"),
)
_REBATES = (("0.005", "-0.00001"), ("0.015", "-0.00002"), ("0.03", "-0.00003"))
_SCHEDULE = {
    "cross": "0.00045", "add": "0.00015", "spotCross": "0.0007", "spotAdd": "0.0004",
    "tiers": {
        "vip": [
            {"ntlCutoff": f"{cutoff}.0", "cross": cross, "add": add, "spotCross": "0.0007", "spotAdd": "0.0004"}
            for cutoff, cross, add in _TIERS
        ],
        "mm": [{"makerFractionCutoff": cutoff, "add": add} for cutoff, add in _REBATES],
    },
    "referralDiscount": "0.04",
    "stakingDiscountTiers": [{"bpsOfMaxSupply": "0.0", "discount": "0.0"}],
}  # fmt: skip


class AccountViews:
    """Reads of one address."""

    def __init__(self, exchange: Exchange, universe: Universe, wire: Wire) -> None:
        self._exchange = exchange
        self._universe = universe
        self._wire = wire

    def mark_px_u(self, coin: str) -> int:
        """The newest mark; the mid before there is one; 0 without a two-sided book."""
        context = self._exchange.context(coin)
        if context is not None:
            return context.mark_px_u
        book = self._exchange.snapshot(coin, 1)
        return (book.bids[0][0] + book.asks[0][0]) // 2 if book.bids and book.asks else 0

    # ------------------------------------------------------------------ margin
    def state(self, address: str, dex: str, now_t_ns: int) -> Json:
        """`clearinghouseState` of one dex; all zeros where no market is traded."""
        coins = [m.coin for m in self._universe.markets.values() if m.dex == dex]
        account = self._exchange.account(address)
        used, maintenance, withdrawable = self._exchange.margin(address) if coins else (0, 0, 0)
        equity = self._exchange.equity_e8(address) if coins else 0
        held = [c for c in coins if account.positions_u.get(c, 0)]
        notional = sum(abs(account.positions_u[c]) * self.mark_px_u(c) for c in held) * 100
        summary = {
            "accountValue": money(equity), "totalNtlPos": money(notional),
            "totalRawUsd": money(account.cash_e8 if coins else 0), "totalMarginUsed": money(used),
        }  # fmt: skip
        return {
            "marginSummary": summary, "crossMarginSummary": summary,
            "crossMaintenanceMarginUsed": money(maintenance), "withdrawable": money(max(withdrawable, 0)),
            "assetPositions": [self._position(account, c, equity - maintenance) for c in held], "time": ms(now_t_ns),
        }  # fmt: skip

    def _position(self, account: Account, coin: str, free_e8: int) -> Json:
        size, mark = account.positions_u[coin], self.mark_px_u(coin)
        cost_e6 = account.entry_ntl_e6.get(coin, 0)
        leverage = self._exchange.leverage(account.address, coin)
        profit_e6 = size * mark - cost_e6
        initial_e6 = abs(cost_e6) // leverage
        liquidation = self._liquidation_px_u(coin, size, mark, free_e8)
        position = {
            "coin": coin, "szi": self._wire.sz(coin, size), "leverage": {"type": "cross", "value": leverage},
            "entryPx": self._wire.px(coin, round(abs(cost_e6) / abs(size))),
            "positionValue": decimal(abs(size) * mark, 6), "unrealizedPnl": decimal(profit_e6, 6),
            "returnOnEquity": rate(profit_e6 / initial_e6 if initial_e6 else 0.0),
            "liquidationPx": None if liquidation is None else self._wire.px(coin, liquidation),
            "marginUsed": decimal(abs(size) * mark // leverage, 6),
            "maxLeverage": self._universe.markets[coin].max_leverage,
            "cumFunding": self._cum_funding(account.address, coin),
        }  # fmt: skip
        return {"type": "oneWay", "position": position}

    def _liquidation_px_u(self, coin: str, size: int, mark: int, free_e8: int) -> int | None:
        """Docs: price - side x margin available / size / (1 - l x side), l = half the least initial margin rate."""
        side = 1 if size > 0 else -1
        maintenance_rate = 0.5 / self._universe.markets[coin].max_leverage
        px_u = mark - side * (free_e8 / 100) / abs(size) / (1 - maintenance_rate * side)
        return round(px_u) if px_u > 0 else None

    def _cum_funding(self, address: str, coin: str) -> Json:
        """Positive = paid.  A position's life starts with the last fill that found none or turned it over."""
        opened = changed = 0
        for fill in self._exchange.fills(address):
            if fill.coin == coin:
                changed = fill.t_ns
                if fill.start_position_u == 0 or ">" in fill.direction:
                    opened = fill.t_ns
        payments = [p for p in self._exchange.fundings(address) if p.coin == coin]
        return {
            name: money(-sum(p.usd_e8 for p in payments if p.t_ns >= since))
            for name, since in (("allTime", 0), ("sinceOpen", opened), ("sinceChange", changed))
        }

    def active_asset(self, address: str, coin: str) -> Json:
        """`activeAssetData`: what free collateral would open at the set leverage, the same on both sides."""
        mark, leverage = self.mark_px_u(coin), self._exchange.leverage(address, coin)
        free_e8 = max(self._exchange.margin(address)[2], 0)
        most = self._wire.sz(coin, free_e8 * leverage // 100 // mark if mark else 0)
        return {
            "user": address, "coin": coin, "leverage": {"type": "cross", "value": leverage},
            "maxTradeSzs": [most, most], "availableToTrade": [money(free_e8), money(free_e8)],
            "markPx": self._wire.px(coin, mark),
        }  # fmt: skip

    # ------------------------------------------------------------------ spot, fees
    def spot(self) -> Json:
        """All collateral lies in the perp account here."""
        tokens = {m.collateral for m in self._universe.markets.values()} | {"USDC"}
        return {
            "balances": [
                {"coin": t["name"], "token": t["index"], "total": "0.0", "hold": "0.0", "entryNtl": "0.0"}
                for t in self._universe.spot_meta()["tokens"]
                if t["name"] in tokens
            ]
        }

    def fees(self, address: str) -> Json:
        maker, taker = self._exchange.base_rates_ppb(address)
        return {
            "dailyUserVlm": _daily(self._exchange.fills(address)), "feeSchedule": _SCHEDULE,
            "userCrossRate": decimal(taker, 9), "userAddRate": decimal(maker, 9),
            "userSpotCrossRate": "0.0007", "userSpotAddRate": "0.0004", "activeReferralDiscount": "0.0",
            "trial": None, "feeTrialReward": "0.0", "nextTrialAvailableTimestamp": None, "stakingLink": None,
            "activeStakingDiscount": {"bpsOfMaxSupply": "0.0", "discount": "0.0"},
        }  # fmt: skip


def _daily(fills: list[UserFill]) -> Json:
    """Volume a UTC day of market time, oldest first, taken and made apart."""
    volume: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for fill in fills:
        day = datetime.fromtimestamp(fill.t_ns // 10**9, UTC).strftime("%Y-%m-%d")
        volume[day][fill.crossed] += fill.px_u * fill.sz_u
    return [
        {"date": day, "userCross": decimal(took, 6), "userAdd": decimal(made, 6), "exchange": decimal(took + made, 6)}
        for day, (made, took) in sorted(volume.items())
    ]
