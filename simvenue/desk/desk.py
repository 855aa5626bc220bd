"""The order desk: what the venue does with one signed request when it acts.

Decides which order is refused, with the venue's own words, which trades at once and which rests. The form of an order
(tick, lot, minimum) is judged by `rules.py`, matching by the pit, money by `money/clearing.py`, settings by
`settings.py`. A batch with one order that could never be right is refused whole, with one status. A modify is a cancel
and a new order (new oid, same cloid, queue place lost): one whose form is wrong leaves the old order alone, one that
fails later (post-only would match, margin) has already lost it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simvenue.book.matching import FILLED, TAKEN
from simvenue.book.pit import Pit
from simvenue.desk import budget, refusals, rules
from simvenue.desk.orders import Order, Registry
from simvenue.desk.refusals import Refusal
from simvenue.desk.settings import AccountSettings
from simvenue.door.latency import Latency
from simvenue.events import (
    BUY,
    SELL,
    Account,
    CancelOrders,
    Error,
    Filled,
    ModifyOrders,
    OrderSpec,
    PlaceOrders,
    Reply,
    Request,
    Resting,
    Status,
    Success,
    TopUpIsolatedMargin,
    UpdateIsolatedMargin,
    UpdateLeverage,
)
from simvenue.money.clearing import Clearing


class Desk:
    """Order entry for all markets of one venue."""

    def __init__(self, pits: Sequence[Pit], registry: Registry, clearing: Clearing, latency: Latency) -> None:
        self._by_asset = {pit.market.asset_id: pit for pit in pits}
        self._registry = registry
        self._clearing = clearing
        self._latency = latency
        self.settings = AccountSettings(pits, clearing)
        self.post_only_until_ns = 0

    def act(self, t_ns: int, request_id: int, request: Request) -> Reply:
        """Carry a request out at venue time `t_ns`."""
        error = self._whole(request)
        statuses: tuple[Status, ...] = ()
        if error is None:
            match request:
                case PlaceOrders() | ModifyOrders():
                    statuses = self._trade(t_ns, request)
                case CancelOrders():
                    statuses = tuple(self._cancel(t_ns, request.address, *entry) for entry in request.cancels)
                case _:
                    error = self.settings.act(t_ns, request, self._coin_of(request))
        return Reply(t_ns, t_ns + self._latency.reply_ns, request_id, statuses, error)

    def cancel_all(self, t_ns: int, address: str, status: str) -> None:
        """Take every open order of an address out, under the venue's word for why."""
        for order in self._registry.open_of(address):
            self._by_asset[order.asset].cancel(order)
            self._clearing.end(order, status, t_ns)

    def run_schedule(self, t_ns: int) -> None:
        """Cancel everything of those whose scheduled time has come."""
        for address in self.settings.deadman.take_due(t_ns):
            self.cancel_all(t_ns, address, "scheduledCancel")

    def _whole(self, request: Request) -> str | None:
        """Why the whole action is refused, if it is."""
        if request.address not in self._clearing.accounts:
            return refusals.NOT_DEPOSITED.of(user=request.address)
        match request:
            case PlaceOrders():
                assets = [spec.asset for spec in request.orders]
            case ModifyOrders():
                assets = [spec.asset for _, spec in request.modifies]
            case CancelOrders():
                assets = [asset for asset, _ in request.cancels]
            case UpdateLeverage() | UpdateIsolatedMargin() | TopUpIsolatedMargin():
                assets = [request.asset]
            case _:
                return None
        strange = next((asset for asset in assets if asset not in self._by_asset), None)
        return None if strange is None else refusals.NO_ASSET.of(asset=strange)

    def _coin_of(self, request: Request) -> str:
        """The market of a setting; "" for one of the whole account."""
        match request:
            case UpdateLeverage() | UpdateIsolatedMargin() | TopUpIsolatedMargin():
                return self._by_asset[request.asset].market.coin
        return ""

    def _trade(self, t_ns: int, request: PlaceOrders | ModifyOrders) -> tuple[Status, ...]:
        """All orders are judged by their form before the first one acts."""
        specs = request.orders if isinstance(request, PlaceOrders) else tuple(spec for _, spec in request.modifies)
        parsed = [rules.parse(spec, self._by_asset[spec.asset].market) for spec in specs]
        for spec, found in zip(specs, parsed, strict=True):
            if isinstance(found, Refusal) and found in rules.UNFIT:
                return (Error(found.of(spec.asset)),)
        if isinstance(request, PlaceOrders):
            return tuple(self._place(t_ns, request.address, *entry) for entry in zip(specs, parsed, strict=True))
        return tuple(
            self._modify(t_ns, request, key, spec, found)
            for (key, spec), found in zip(request.modifies, parsed, strict=True)
        )

    # ---------------------------------------------------------------- orders and cancels
    def _place(self, t_ns: int, address: str, spec: OrderSpec, parsed: rules.Parsed | Refusal) -> Status:
        found = self._before_entry(t_ns, spec, parsed)
        if isinstance(found, Refusal):
            return Error(found.of(spec.asset))
        pit = self._by_asset[spec.asset]
        return self._enter(pit, self._order(t_ns, address, spec, pit, found))

    def _before_entry(self, t_ns: int, spec: OrderSpec, parsed: rules.Parsed | Refusal) -> rules.Parsed | Refusal:
        """What is refused before an order gets a number of its own."""
        if isinstance(parsed, rules.Parsed) and t_ns < self.post_only_until_ns and spec.tif != "Alo":
            return refusals.POST_ONLY_PERIOD
        return parsed

    def _modify(
        self, t_ns: int, request: ModifyOrders, key: int | str, spec: OrderSpec, parsed: rules.Parsed | Refusal
    ) -> Status:
        old = self._registry.find_open(request.address, key)
        if old is None or old.asset != spec.asset:
            if request.always_place:
                return self._place(t_ns, request.address, spec, parsed)
            return Error(refusals.CANNOT_MODIFY.of(spec.asset))
        found = self._before_entry(t_ns, spec, parsed)
        if isinstance(found, Refusal):
            return Error(found.of(spec.asset))
        self._withdraw(t_ns, old)
        pit = self._by_asset[spec.asset]
        spec = replace(spec, cloid=spec.cloid or old.cloid)
        status = self._enter(pit, self._order(t_ns, request.address, spec, pit, found))
        if request.single and isinstance(status, Error):
            return Error(refusals.MODIFY_FAILED + status.text)
        return status

    def _cancel(self, t_ns: int, address: str, asset: int, key: int | str) -> Status:
        order = self._registry.find_open(address, key)
        if order is None or order.asset != asset:
            return Error(refusals.NOT_OPEN.of(asset))
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
        rests = order.sz_u > 0 and order.tif != "Ioc" and not self._has_nothing_to_reduce(pit, order)
        if rests:
            self._rest(pit, order)
        else:
            self._clearing.end(order, self._last_word(order), order.placed_t_ns)
        return self._status(pit, order, paid_e6, rests)

    def _rest(self, pit: Pit, order: Order) -> None:
        """Into the book; reduce-only orders that together exceed the position then leave, oldest first (probe)."""
        pit.rest(order)
        self._clearing.tell(order, order.placed_t_ns)
        if not order.reduce_only:
            return
        mine = [o for o in self._registry.open_of(order.address) if o.reduce_only and o.coin == order.coin]
        excess_u = sum(o.sz_u for o in mine) - abs(pit.position_u(order.address))
        for old in mine:
            if excess_u <= 0 or old is order:
                break
            pit.cancel(old)
            self._clearing.end(old, "reduceOnlyCanceled", order.placed_t_ns)
            excess_u -= old.sz_u

    def _status(self, pit: Pit, order: Order, paid_e6: int, rests: bool) -> Status:
        """What its owner is answered; an order that traded at once is `filled`, also when the rest of it rests."""
        got_u = order.orig_sz_u - order.sz_u
        if got_u > 0:
            average = rules.average_text(paid_e6, got_u, pit.market.px_decimals)
            return Filled(order.oid, order.cloid, got_u, average)
        return Resting(order.oid, order.cloid) if rests else Error(refusals.NO_MATCH.of(order.asset))

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
        return "canceled" if order.sz_u < order.orig_sz_u else refusals.NO_MATCH.status

    def _refuse(self, order: Order, refusal: Refusal) -> Error:
        order.status = refusal.status
        self._registry.add(order)
        self._clearing.tell(order, order.placed_t_ns)
        return Error(refusal.of(order.asset))

    # ---------------------------------------------------------------- why not
    def _refusal(self, pit: Pit, order: Order) -> Refusal | None:
        if pit.is_halted:
            return refusals.HALTED
        if not rules.is_in_band(order.px_u, pit.prices.oracle_px_u):
            return refusals.TOO_FAR
        if order.reduce_only and self._has_nothing_to_reduce(pit, order):
            return refusals.WOULD_INCREASE
        if not order.reduce_only and not self._has_margin(order):
            return refusals.NO_MARGIN
        if not order.reduce_only and not self._clearing.standings.fits_tier(self._account(order), order):
            return refusals.OVER_TIER
        if not order.reduce_only and (capped := self._capped(pit, order)) is not None:
            return capped
        if order.tif == "Alo" and self._crosses(pit, order):
            return self._alo_refusal(pit)
        if order.tif == "Ioc" and not self._crosses(pit, order):
            return refusals.NO_MATCH
        if order.tif != "Ioc" and not self._may_rest(pit, order):
            return refusals.TOO_MANY
        return None

    def _capped(self, pit: Pit, order: Order) -> Refusal | None:
        """At the market's cap of open interest nobody may add to a position or turn it over."""
        if not self._clearing.is_capped(pit):
            return None
        before = pit.position_u(order.address)
        after = before + order.side * order.sz_u
        if before * after < 0:
            return refusals.OI_CAPPED_FLIP
        return refusals.OI_CAPPED if abs(after) > abs(before) else None

    def _may_rest(self, pit: Pit, order: Order) -> bool:
        """Whether the address may have one more open order (docs: by its volume), and the table room for it."""
        open_now = self._registry.open_count(order.address)
        credit_e6 = self._clearing.accounts.credit_e6(order.address)
        return not pit.is_full and budget.may_open(open_now, order.reduce_only, credit_e6)

    def _crosses(self, pit: Pit, order: Order) -> bool:
        opposite = pit.best(-order.side)
        return opposite is not None and order.side * (order.px_u - opposite[0]) >= 0

    def _has_nothing_to_reduce(self, pit: Pit, order: Order) -> bool:
        return order.reduce_only and order.side * pit.position_u(order.address) >= 0

    def _has_margin(self, order: Order) -> bool:
        """Whether the account can carry its worst case with this order; one that does not worsen it always passes."""
        return self._clearing.standings.carries(self._account(order), order)

    def _account(self, order: Order) -> Account:
        return self._clearing.accounts.get(order.address, self._by_asset[order.asset].market.collateral)

    def _alo_refusal(self, pit: Pit) -> Refusal:
        texts = []
        for side in (BUY, SELL):
            level = pit.best(side)
            texts.append(rules.text_of(level[0], pit.market.px_decimals) if level else "None")
        return refusals.alo(texts[0], texts[1])
