"""The order desk: what the venue does with one signed request when it arrives.

Decides which order is refused, with the venue's own words, which trades at once and which rests. The form of an order
(tick, lot, minimum) is judged by `rules.py`, matching by the pit, money by `clearing.py`. A modify is a cancel and a
new order (new oid, same cloid, queue place lost): an entry whose form is wrong leaves the old order alone, one that
fails later (post-only would match, margin) has already lost it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simvenue import rules
from simvenue.clearing import Clearing
from simvenue.events import (
    BUY,
    SELL,
    CancelOrders,
    Error,
    Filled,
    ModifyOrders,
    Noop,
    OrderSpec,
    PlaceOrders,
    Reply,
    Request,
    Resting,
    Status,
    Success,
)
from simvenue.margin import required_e8
from simvenue.market import Latency
from simvenue.matching import FILLED, TAKEN
from simvenue.orders import Order, Registry
from simvenue.pit import Pit
from simvenue.rules import Refusal


class Desk:
    """Order entry for all markets of one venue."""

    def __init__(self, pits: Sequence[Pit], registry: Registry, clearing: Clearing, latency: Latency) -> None:
        self._by_asset = {pit.market.asset_id: pit for pit in pits}
        self._registry = registry
        self._clearing = clearing
        self._latency = latency

    def act(self, t_ns: int, request_id: int, request: Request) -> Reply:
        """Carry a request out at venue time `t_ns`."""
        error = self._whole(request)
        statuses: tuple[Status, ...] = ()
        if error is None:
            match request:
                case PlaceOrders():
                    statuses = tuple(self._place(t_ns, request.address, spec) for spec in request.orders)
                case ModifyOrders():
                    statuses = tuple(self._modify(t_ns, request.address, *entry) for entry in request.modifies)
                case CancelOrders():
                    statuses = tuple(self._cancel(t_ns, request.address, *entry) for entry in request.cancels)
                case Noop():
                    pass
        return Reply(t_ns, t_ns + self._latency.reply_ns, request_id, statuses, error)

    def _whole(self, request: Request) -> str | None:
        """Why the whole action is refused, if it is."""
        if request.address not in self._clearing.accounts:
            return f"Must deposit before performing actions. User: {request.address}"
        match request:
            case PlaceOrders():
                assets = [spec.asset for spec in request.orders]
            case ModifyOrders():
                assets = [spec.asset for _, spec in request.modifies]
            case CancelOrders():
                assets = [asset for asset, _ in request.cancels]
            case Noop():
                return None
        strange = next((asset for asset in assets if asset not in self._by_asset), None)
        return None if strange is None else f"Invalid perp asset {strange}"

    # ---------------------------------------------------------------- the three actions
    def _place(self, t_ns: int, address: str, spec: OrderSpec) -> Status:
        pit = self._by_asset[spec.asset]
        parsed = rules.parse(spec, pit.market)
        if isinstance(parsed, Refusal):
            return Error(parsed.of(spec.asset))
        return self._enter(pit, self._order(t_ns, address, spec, pit, parsed))

    def _modify(self, t_ns: int, address: str, key: int | str, spec: OrderSpec) -> Status:
        old = self._registry.find_open(address, key)
        if old is None or old.asset != spec.asset:
            return Error(rules.CANNOT_MODIFY.of(spec.asset))
        pit = self._by_asset[spec.asset]
        parsed = rules.parse(spec, pit.market)
        if isinstance(parsed, Refusal):
            return Error(parsed.of(spec.asset))
        self._withdraw(t_ns, old)
        return self._enter(pit, self._order(t_ns, address, replace(spec, cloid=spec.cloid or old.cloid), pit, parsed))

    def _cancel(self, t_ns: int, address: str, asset: int, key: int | str) -> Status:
        order = self._registry.find_open(address, key)
        if order is None or order.asset != asset:
            return Error(rules.NOT_OPEN.of(asset))
        self._withdraw(t_ns, order)
        return Success()

    def _withdraw(self, t_ns: int, order: Order) -> None:
        self._by_asset[order.asset].cancel(order)
        self._clearing.end(order, "canceled", t_ns)

    # ---------------------------------------------------------------- a new order
    def _order(self, t_ns: int, address: str, spec: OrderSpec, pit: Pit, parsed: rules.Parsed) -> Order:
        return Order(
            address, pit.market.coin, spec.asset, BUY if spec.is_buy else SELL, parsed.px_u, parsed.sz_u, parsed.sz_u,
            spec.tif, spec.reduce_only, spec.cloid, self._registry.next_oid(), t_ns, status_t_ns=t_ns,
        )  # fmt: skip

    def _enter(self, pit: Pit, order: Order) -> Status:
        """Refuse, match, rest: in this order."""
        refusal = self._refusal(pit, order)
        if refusal is not None:
            return self._refuse(order, refusal)
        self._registry.add(order)
        paid_e6 = self._aggress(pit, order) if self._crosses(pit, order) else 0
        if order.sz_u > 0 and order.tif != "Ioc" and not self._has_nothing_to_reduce(pit, order):
            pit.rest(order)
            self._clearing.tell(order, order.placed_t_ns)
            return Resting(order.oid, order.cloid)
        self._clearing.end(order, self._last_word(order), order.placed_t_ns)
        got_u = order.orig_sz_u - order.sz_u
        if got_u == 0:
            return Error(rules.NO_MATCH.of(order.asset))
        average = rules.average_text(paid_e6, got_u, pit.market.px_decimals)
        return Filled(order.oid, order.cloid, got_u, average)

    def _aggress(self, pit: Pit, order: Order) -> int:
        """Match what crosses; returns the notional traded."""
        sz_u = order.sz_u
        if order.reduce_only:
            sz_u = min(sz_u, abs(pit.position_u(order.address)))
        events = pit.take(order, sz_u)
        self._clearing.clear(pit, order.placed_t_ns, events, taker=order)
        return sum(event.px_u * event.sz_u for event in events if event.kind in (FILLED, TAKEN))

    def _last_word(self, order: Order) -> str:
        """Status of an order that neither rests nor was refused on arrival."""
        if order.sz_u == 0:
            return "filled"
        if order.tif != "Ioc":
            return "reduceOnlyCanceled"
        return "canceled" if order.sz_u < order.orig_sz_u else rules.NO_MATCH.status

    def _refuse(self, order: Order, refusal: Refusal) -> Error:
        order.status = refusal.status
        self._registry.add(order)
        self._clearing.tell(order, order.placed_t_ns)
        return Error(refusal.of(order.asset))

    # ---------------------------------------------------------------- why not
    def _refusal(self, pit: Pit, order: Order) -> Refusal | None:
        if not rules.is_in_band(order.px_u, pit.prices.oracle_px_u):
            return rules.TOO_FAR
        if order.reduce_only and self._has_nothing_to_reduce(pit, order):
            return rules.WOULD_INCREASE
        if not order.reduce_only and not self._has_margin(order):
            return rules.NO_MARGIN
        if order.tif == "Alo" and self._crosses(pit, order):
            return self._alo_refusal(pit)
        if order.tif == "Ioc" and not self._crosses(pit, order):
            return rules.NO_MATCH
        if order.tif != "Ioc" and pit.is_full:
            return rules.TOO_MANY
        return None

    def _crosses(self, pit: Pit, order: Order) -> bool:
        opposite = pit.best(-order.side)
        return opposite is not None and order.side * (order.px_u - opposite[0]) >= 0

    def _has_nothing_to_reduce(self, pit: Pit, order: Order) -> bool:
        return order.reduce_only and order.side * pit.position_u(order.address) >= 0

    def _has_margin(self, order: Order) -> bool:
        """Whether the account can carry its worst case with this order; one that does not worsen it always passes."""
        account = self._clearing.accounts.get(order.address)
        exposures = self._clearing.exposures(account)
        now = exposures[order.coin]
        added = order.px_u * order.sz_u
        if order.side == BUY:
            then = replace(now, buys_e6=now.buys_e6 + added)
        else:
            then = replace(now, sells_e6=now.sells_e6 + added)
        before, after = required_e8(now), required_e8(then)
        others = sum(required_e8(e) for coin, e in exposures.items() if coin != order.coin)
        return after <= before or others + after <= self._clearing.equity_e8(account)

    def _alo_refusal(self, pit: Pit) -> Refusal:
        texts = []
        for side in (BUY, SELL):
            level = pit.best(side)
            texts.append(rules.text_of(level[0], pit.market.px_decimals) if level else "None")
        return rules.alo_refusal(texts[0], texts[1])
