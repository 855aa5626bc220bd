"""What the venue knows of an address: money, margin, fees, limits, agents and summaries.

Unsigned, so anybody may ask. An agent's own address holds nothing, as on the venue: its master holds the account.
Vaults, sub-accounts, referrals and TWAPs do not exist here: their questions get the venue's answer for somebody who
has none. What an account looks like is `views.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

from common.clock import NS
from simvenue.door.gateway import Gateway
from simvenue.exchange import Exchange
from simvenue.feeds.wire import Json, Wire, decimal, ms, tx_hash
from simvenue.info.queries import Entry, Query, dex_of, for_anybody, in_range, traded_coin, user_of
from simvenue.info.universe import Universe
from simvenue.info.views import AccountViews

ROWS_MAX = 500
DAY_NS = 86_400 * NS
PERIODS = {"Day": DAY_NS, "Week": 7 * DAY_NS, "Month": 30 * DAY_NS, "AllTime": 2**62}


class AccountReads:
    """Answers about one address at a time."""

    def __init__(self, exchange: Exchange, gateway: Gateway, universe: Universe, wire: Wire) -> None:
        self._exchange = exchange
        self._gateway = gateway
        self._universe = universe
        self._wire = wire
        self._views = AccountViews(exchange, universe, wire)

    def table(self) -> Mapping[str, Entry]:
        views = self._views
        return {
            "clearinghouseState": Entry(self._state, 2),
            "spotClearinghouseState": Entry(lambda q, _: views.spot(user_of(q)), 2),
            "activeAssetData": Entry(self._active_asset),
            "userFees": Entry(lambda q, _: views.fees(user_of(q))),
            "userFunding": Entry(self._fundings, rows=20),
            "userNonFundingLedgerUpdates": Entry(self._ledger_updates, rows=20),
            "userRateLimit": Entry(self._rate_limit),
            "userRole": Entry(self._role, 60),
            "userAbstraction": Entry(lambda q, _: self._exchange.account(user_of(q)).mode),
            "extraAgents": Entry(self._extra_agents),
            "subAccounts": Entry(for_anybody(None)),
            "referral": Entry(self._referral),
            "portfolio": Entry(self._portfolio),
            "userVaultEquities": Entry(for_anybody([])),
        }

    # ------------------------------------------------------------------ money
    def _state(self, query: Query, now_t_ns: int) -> Json:
        return self._views.state(user_of(query), dex_of(query, self._universe), now_t_ns)

    def _active_asset(self, query: Query, _now: int) -> Json:
        return self._views.active_asset(user_of(query), traded_coin(query.coin, self._universe))

    def _fundings(self, query: Query, _now: int) -> Json:
        found = in_range(query, self._exchange.fundings(user_of(query)), ROWS_MAX, needs_start=False)
        return [_funding_row(self._wire.funding(payment)) for payment in found]

    def _ledger_updates(self, query: Query, _now: int) -> Json:
        found = in_range(query, self._exchange.ledger_updates(user_of(query)), ROWS_MAX, needs_start=False)
        return [self._wire.ledger_update(update) for update in found]

    # ------------------------------------------------------------------ the address
    def _rate_limit(self, query: Query, _now: int) -> Json:
        user = user_of(query)
        return {
            "cumVlm": decimal(self._exchange.credit_e6(user), 6), "nRequestsUsed": self._gateway.actions_used(user),
            "nRequestsCap": self._gateway.actions_cap(user), "nRequestsSurplus": self._gateway.actions_surplus(user),
        }  # fmt: skip

    def _role(self, query: Query, now_t_ns: int) -> Json:
        user = user_of(query)
        agent = self._gateway.agent(user, now_t_ns)
        if agent is not None:
            return {"role": "agent", "data": {"user": agent.master}}
        return {"role": "user" if self._exchange.is_funded(user) else "missing"}

    def _extra_agents(self, query: Query, now_t_ns: int) -> Json:
        return [
            {"name": a.name, "address": a.address, "validUntil": ms(a.valid_until_ns)}
            for a in self._gateway.agents_of(user_of(query), now_t_ns)
            if a.name
        ]

    # ------------------------------------------------------------------ summaries of the front end
    def _referral(self, query: Query, _now: int) -> Json:
        volume_e6 = self._exchange.volume_e6(user_of(query))
        zeros = dict.fromkeys(("unclaimedRewards", "claimedRewards", "builderRewards"), "0.0")
        return {
            "referredBy": None, "cumVlm": decimal(volume_e6, 6), **zeros, "tokenToState": [],
            "referrerState": {"stage": "needToTrade", "data": {"required": "10000.0"}}, "rewardHistory": [],
        }  # fmt: skip

    def _portfolio(self, query: Query, now_t_ns: int) -> Json:
        """Volumes are real, histories empty: none is kept here."""
        fills = self._exchange.fills(user_of(query))
        rows = []
        for perp in (False, True):
            for period, length_ns in PERIODS.items():
                volume_e6 = sum(f.px_u * f.sz_u for f in fills if f.t_ns > now_t_ns - length_ns)
                name = f"perp{period}" if perp else period[0].lower() + period[1:]
                rows.append([name, {"accountValueHistory": [], "pnlHistory": [], "vlm": decimal(volume_e6, 6)}])
        return rows


def _funding_row(funding: dict[str, Json]) -> Json:
    """REST wraps what the socket sends flat."""
    time = funding.pop("time")
    return {"time": time, "hash": tx_hash(0), "delta": {"type": "funding", **funding}}
