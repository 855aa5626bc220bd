"""Conservation: whatever traders, marks, funding, liquidations and operators do, every book and house sum to zero."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simvenue.events import BUY, SELL, Liquidated, UpdateIsolatedMargin
from tests.unit.simvenue.floor import BTC, CAT, STRICT, US500, Floor, a_thick_book, empty
from tests.unit.simvenue.tape import ANN, BOB, STANDX, is_zero

WHO = (ANN, BOB, CAT)
PRICES = {STANDX.coin: 9_000_000, US500.coin: 752_450, "BTC": 776_000, STRICT.coin: 9_000_000}
STEPS = {STANDX.coin: 100, US500.coin: 10, "BTC": 10, STRICT.coin: 100}
MARKETS = (STANDX, US500, BTC, STRICT)
COINS = list(PRICES)
BOOK_SZ = 20_000
TIFS = ("Ioc", "Ioc", "Gtc", "Alo")

Step = tuple[Any, ...]


def a_step(rng: Random, *, calm: bool) -> Step:
    """One thing that happens; `calm` leaves hours and operators out."""
    who, coin, side = rng.choice(WHO), rng.choice(COINS), rng.choice([BUY, SELL])
    order = ("order", who, coin, side, side * rng.randint(-3, 5), rng.randint(1, 110), rng.choice(TIFS))
    kinds: list[tuple[int, Step]] = [
        (60, (*order, rng.random() < 0.15)),
        (20, ("mark", coin, rng.choice([rng.randint(960, 1_040), rng.randint(600, 1_600)]), rng.random() < 0.6)),
        (8, ("margin", who, coin, rng.choice([3, 10, 20]), rng.random() < 0.5, rng.randint(-(10**9), 10**9))),
    ]
    if not calm:
        operator = rng.choice(
            ["halt", "resume", "resume", "resume", "deleverage", "deleverage", "deleverage", "delist"]
        )
        kinds += [(6, ("hour",)), (6, (operator, coin, side, rng.randint(1, 50_000)))]
    return rng.choices([step for _, step in kinds], [weight for weight, _ in kinds])[0]


class Day:
    """Plays drawn steps, and knows what must hold after each."""

    def __init__(self, usd: int) -> None:
        self.floor = Floor(*((m, PRICES[m.coin], STEPS[m.coin]) for m in MARKETS), usd=usd, sz_u=BOOK_SZ, who=WHO)
        self.px = dict(PRICES)
        self.books = {coin: a_thick_book(px, STEPS[coin], BOOK_SZ) for coin, px in PRICES.items()}

    def play(self, step: Step) -> None:
        exchange = self.floor.exchange
        match step:
            case ("order", who, coin, side, steps, percent, tif, reduce):
                market = self.floor.markets[coin]
                px = self.px[coin] + steps * STEPS[coin]
                value = exchange.standing(who, market.collateral).cross_value_e8 * exchange.leverage(who, coin)
                sz_u = max(value * percent // (px * 10_000), 10 * 10**6 // px + 1)
                text = (f"{n / 10**d:.{d}f}" for n, d in ((px, market.px_decimals), (sz_u, market.sz_decimals)))
                self.floor.trade(side, coin, *text, tif, who=who, reduce=reduce)
            case ("mark", coin, permille, keeps_book):
                px = PRICES[coin] * permille // 1_000 // STEPS[coin] * STEPS[coin]
                rows = empty(self.books[coin])
                self.books[coin] = a_thick_book(px, STEPS[coin], BOOK_SZ) if keeps_book else []
                self.px[coin] = px
                self.floor.mark(coin, px, book=[*rows, *self.books[coin]])
            case ("margin", who, coin, leverage, is_cross, usd_e6):
                exchange.set_leverage(who, coin, leverage, is_cross=is_cross)
                settings_of = exchange._desk.settings
                settings_of.act(self.floor.now_ns, UpdateIsolatedMargin(who, 0, usd_e6), coin)
            case ("hour",):
                self.floor.wait(5)  # a premium sample
                for pit in exchange._pits:
                    exchange._on_hour(pit, self.floor.now_ns)
            case ("deleverage", coin, side, sz_u):
                exchange.deleverage(coin, side, sz_u)
            case (name, coin, _, _):
                getattr(exchange, name)(coin)
        self.floor.wait(0)

    def check(self) -> None:
        exchange = self.floor.exchange
        assert all(is_zero(sums) for sums in self.floor.zero())
        for who in WHO:
            self._check_address(who)
        for name in ("USDC", "USDH"):
            accounts = exchange._clearing.accounts
            books = [*accounts.held(name), accounts.houses[name]]
            assert sum(exchange._clearing.equity_e8(a) - a.deposits_e8 for a in books) == 0
            for vault in accounts.vaults(name):
                assert vault.isolated_e8 == {}
                for coin, size in vault.positions_u.items():
                    assert exchange._by_coin[coin].position_u(vault.address) == size

    def _check_address(self, who: str) -> None:
        exchange = self.floor.exchange
        fills = exchange.fills(who)
        for account in exchange._clearing.accounts.books(who):
            for coin, size in account.positions_u.items():
                assert exchange._by_coin[coin].position_u(who) == size
                assert size == sum(f.side * f.sz_u for f in fills if f.coin == coin)
                assert (account.entry_ntl_e6[coin] > 0) == (size > 0)
            assert set(account.isolated_e8) == {
                coin for coin, size in account.positions_u.items() if size and exchange.is_isolated(who, coin)
            }
            mine = [f for f in fills if f.fee_token == account.collateral]
            assert account.fees_e8 == sum(f.fee_e8 for f in mine)
            assert account.funding_e8 == sum(
                p.usd_e8 for p in exchange.fundings(who) if p.coin in exchange._clearing.exposures(account)
            )


def a_day(seed: int, *, calm: bool, length: int = 40) -> tuple[Day, list[Step]]:
    rng = Random(seed)
    return Day(rng.choice([1_000, 5_000, 30_000])), [a_step(rng, calm=calm) for _ in range(length)]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_book_sums_to_zero_whatever_happens(seed: int) -> None:
    day, steps = a_day(seed, calm=False)
    for step in steps:
        day.play(step)
        day.check()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_after_an_update_nobody_with_a_position_is_below_two_thirds_of_maintenance(seed: int) -> None:
    day, steps = a_day(seed, calm=True)
    for step in steps:
        day.play(step)
    day.floor.wait(3)
    exchange = day.floor.exchange
    for account in exchange._clearing.accounts:
        standing = exchange._clearing.standing(account)
        assert 3 * standing.cross_value_e8 >= 2 * standing.cross_maintenance_e8
        assert all(3 * p.equity_e8 >= 2 * p.maintenance_e8 for p in standing.positions if p.is_isolated)


def test_these_days_hold_every_way_a_position_can_change() -> None:
    """The property tests above would prove little if the drawn days were dull."""
    seen: Counter[str] = Counter()
    for seed in range(40):
        day, steps = a_day(seed, calm=False)
        for step in steps:
            day.play(step)
        for who in WHO:
            for fill in day.floor.exchange.fills(who):
                seen[fill.direction] += 1
                seen[fill.liquidation.method if fill.liquidation else "free"] += 1
            seen["funding"] += len(day.floor.exchange.fundings(who))
            seen["told"] += sum(isinstance(o, Liquidated) for o in day.floor.outputs)
    expected = (
        "Open Long", "Close Long", "Open Short", "Close Short", "Long > Short", "Short > Long", "Settlement",
        "Auto-Deleveraging", "Liquidated Cross Long", "Liquidated Cross Short", "Liquidated Isolated Long",
        "Liquidated Isolated Short", "market", "backstop", "free", "funding", "told",
    )  # fmt: skip
    assert [name for name in expected if seen[name] == 0] == []
