"""`webData2`: the venue's own front end in one piece, put together from the other answers.

Legacy, and of the first dex only, as on the venue. Vaults and TWAPs do not exist here, so theirs are empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simvenue.door.gateway import Gateway
from simvenue.exchange import Exchange
from simvenue.feeds.wire import Json, money, ms
from simvenue.info.queries import Entry, Query, user_of


class WebData:
    """Reads of everything a page needs about one address; `read` answers one info type."""

    def __init__(self, exchange: Exchange, gateway: Gateway, read: Callable[[str, Query, int], Json]) -> None:
        self._exchange = exchange
        self._gateway = gateway
        self._read = read

    def table(self) -> Mapping[str, Entry]:
        return {"webData2": Entry(self._web_data)}

    def _web_data(self, query: Query, now_t_ns: int) -> Json:
        user = user_of(query)
        here = Query(query.type, user=user)
        meta, contexts = self._read("metaAndAssetCtxs", here, now_t_ns)
        agent = next((a for a in self._gateway.agents_of(user, now_t_ns) if not a.name), None)
        return {
            "clearinghouseState": self._read("clearinghouseState", here, now_t_ns), "leadingVaults": [],
            "totalVaultEquity": "0.0", "openOrders": self._read("frontendOpenOrders", here, now_t_ns),
            "agentAddress": None if agent is None else agent.address,
            "agentValidUntil": None if agent is None else ms(agent.valid_until_ns),
            "cumLedger": money(self._exchange.account(user).deposits_e8), "meta": meta, "assetCtxs": contexts,
            "serverTime": ms(now_t_ns), "isVault": False, "user": user, "twapStates": [],
            "spotState": self._read("spotClearinghouseState", here, now_t_ns),
            "spotAssetCtxs": self._read("spotMetaAndAssetCtxs", here, now_t_ns)[1],
            "perpsAtOpenInterestCap": self._read("perpsAtOpenInterestCap", here, now_t_ns),
        }  # fmt: skip
