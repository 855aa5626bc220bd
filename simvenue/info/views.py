"""An account as the venue shows it: margin, positions, balances, fees and volume, in the venue's JSON.

The core keeps one cash book of an address per collateral; every dex of that collateral shows the whole book with its
own positions. Accounts in mode `unifiedAccount` and `portfolioMargin` have their money in the spot state, and a perp
state that names none (hyperliquid.md 0.7, seen in public clients' reports). Money is 1e-8 quote until it is written.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from simvenue.events import Account, UserFill
from simvenue.exchange import Exchange
from simvenue.feeds.wire import Json, Wire, decimal, money, ms, rate
from simvenue.info.schedule import SCHEDULE, staking_of
from simvenue.info.universe import TOKENS, Universe
from simvenue.money.standing import Held

POOLED = ("unifiedAccount", "portfolioMargin")


class AccountViews:
    """Reads of one address."""

    def __init__(self, exchange: Exchange, universe: Universe, wire: Wire) -> None:
        self._exchange = exchange
        self._universe = universe
        self._wire = wire

    # ------------------------------------------------------------------ margin
    def state(self, address: str, dex: str, now_t_ns: int) -> Json:
        """`clearinghouseState` of one dex; all zeros where no market is traded."""
        coins = [m.coin for m in self._universe.markets.values() if m.dex == dex]
        if not coins:
            return _state(_NOTHING, _NOTHING, "0.0", "0.0", [], now_t_ns)
        collateral = self._universe.collateral(dex)
        account = self._exchange.account(address, collateral)
        standing = self._exchange.standing(address, collateral)
        held = [self._position(account, p) for p in standing.positions if p.coin in coins]
        whole = _summary(standing.value_e8, standing.notional_e6, standing.raw_e8, standing.used_e8)
        cross = _summary(
            standing.cross_value_e8, standing.cross_notional_e6, standing.cross_raw_e8, standing.cross_used_e8
        )
        free = money(standing.withdrawable_e8)
        if account.mode in POOLED:
            free = "0.0"
            for summary in (whole, cross):
                summary |= {"accountValue": "0.0", "totalRawUsd": "0.0"}
        return _state(whole, cross, money(standing.cross_maintenance_e8), free, held, now_t_ns)

    def _position(self, account: Account, held: Held) -> Json:
        coin, cost_e6 = held.coin, account.entry_ntl_e6.get(held.coin, 0)
        profit_e6 = held.size_u * held.mark_px_u - cost_e6
        initial_e6 = abs(cost_e6) // held.leverage
        position = {
            "coin": coin, "szi": self._wire.sz(coin, held.size_u), "leverage": _leverage(held),
            "entryPx": self._wire.px(coin, round(abs(cost_e6) / abs(held.size_u))),
            "positionValue": decimal(held.notional_e6, 6), "unrealizedPnl": decimal(profit_e6, 6),
            "returnOnEquity": rate(profit_e6 / initial_e6 if initial_e6 else 0.0),
            "liquidationPx": None if held.liquidation_px_e8 is None else money(held.liquidation_px_e8),
            "marginUsed": money(held.used_e8), "maxLeverage": self._universe.markets[coin].max_leverage,
            "cumFunding": self._cum_funding(account.address, coin),
        }  # fmt: skip
        return {"type": "oneWay", "position": position}

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
        """`activeAssetData`: what free collateral would open at the set leverage, more on the side that reduces.

        The venue's rule is not published; here the reducing side may first close the position, whose margin then comes
        free, and open as much again.
        """
        market = self._universe.markets[coin]
        account = self._exchange.account(address, market.collateral)
        standing = self._exchange.standing(address, market.collateral)
        held = next((p for p in standing.positions if p.coin == coin), None)
        mark, leverage = self.mark_px_u(coin), self._exchange.leverage(address, coin)
        free_e8 = max(standing.free_e8, 0)
        sizes, money_texts = [], []
        for side in (1, -1):
            released_e8 = 2 * held.used_e8 if held is not None and held.size_u * side < 0 else 0
            usable_e8 = free_e8 + released_e8
            sizes.append(self._wire.sz(coin, usable_e8 * leverage // 100 // mark if mark else 0))
            money_texts.append(money(usable_e8))
        shown = _leverage(held) if held is not None else {"type": "cross", "value": leverage}
        if held is None and self._exchange.is_isolated(address, coin):
            shown = {"type": "isolated", "value": leverage, "rawUsd": money(account.isolated_e8.get(coin, 0))}
        return {
            "user": address, "coin": coin, "leverage": shown, "maxTradeSzs": sizes, "availableToTrade": money_texts,
            "markPx": self._wire.px(coin, mark),
        }  # fmt: skip

    def mark_px_u(self, coin: str) -> int:
        """The newest mark; the mid before there is one; 0 without a two-sided book."""
        context = self._exchange.context(coin)
        if context is not None:
            return context.mark_px_u
        book = self._exchange.snapshot(coin, 1)
        return (book.bids[0][0] + book.asks[0][0]) // 2 if book.bids and book.asks else 0

    # ------------------------------------------------------------------ spot, fees
    def spot(self, address: str) -> Json:
        """`spotClearinghouseState`: nothing but zeros unless the account's mode keeps its money there.

        `total` is what has been paid in and realised, margin included, `hold` what positions and orders keep of it.
        """
        tokens = sorted({m.collateral for m in self._universe.markets.values()} | {"USDC"}, key=TOKENS.__getitem__)
        return {"balances": [self._balance(address, token) for token in tokens]}

    def _balance(self, address: str, token: str) -> Json:
        total_e8 = hold_e8 = 0
        is_traded = any(m.collateral == token for m in self._universe.markets.values())
        if is_traded and self._exchange.account(address, token).mode in POOLED:
            standing = self._exchange.standing(address, token)
            account = self._exchange.account(address, token)
            cost_e6 = sum(account.entry_ntl_e6.get(p.coin, 0) for p in standing.positions)
            total_e8 = account.cash_e8 + 100 * cost_e6
            hold_e8 = standing.required_e8 + standing.used_e8 - standing.cross_used_e8
        return {
            "coin": token, "token": TOKENS[token], "total": money(total_e8), "hold": money(hold_e8), "entryNtl": "0.0",
        }  # fmt: skip

    def fees(self, address: str) -> Json:
        maker, taker = self._exchange.base_rates_ppb(address)
        profile = self._exchange.fee_profile(address)
        return {
            "dailyUserVlm": _daily(self._exchange.fills(address)), "feeSchedule": SCHEDULE,
            "userCrossRate": decimal(taker, 9), "userAddRate": decimal(maker, 9),
            "userSpotCrossRate": "0.0007", "userSpotAddRate": "0.0004",
            "activeReferralDiscount": decimal(int(profile.referral_discount * 10**4), 4),
            "trial": None, "feeTrialReward": "0.0", "nextTrialAvailableTimestamp": None, "stakingLink": None,
            "activeStakingDiscount": staking_of(profile.staking_discount),
        }  # fmt: skip


def _leverage(held: Held) -> Json:
    if not held.is_isolated:
        return {"type": "cross", "value": held.leverage}
    return {"type": "isolated", "value": held.leverage, "rawUsd": money(held.raw_e8)}


def _summary(value_e8: int, notional_e6: int, raw_e8: int, used_e8: int) -> dict[str, str]:
    return {
        "accountValue": money(value_e8), "totalNtlPos": decimal(notional_e6, 6), "totalRawUsd": money(raw_e8),
        "totalMarginUsed": money(used_e8),
    }  # fmt: skip


_NOTHING = _summary(0, 0, 0, 0)


def _state(
    whole: dict[str, str], cross: dict[str, str], maintenance: str, free: str, held: list[Json], now_t_ns: int
) -> Json:
    return {
        "marginSummary": whole, "crossMarginSummary": cross, "crossMaintenanceMarginUsed": maintenance,
        "withdrawable": free, "assetPositions": held, "time": ms(now_t_ns),
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
