"""All scenarios on all pieces, on every core: each replay in its own process, fed from columns on disk.

A piece is a stretch of time with one tape, or one of each of several markets that share an account. A scenario's pieces
follow each other: each begins flat, and with the account as the one before it left it (equity, peak, action budget, a
kill). The edge gate watches every market over all of them: where it stops one and is enforced, that piece is replayed
with the stop, and what follows is stopped from its begin. Decides no rule of the replay. A process reads the columns as
copy-on-write maps, so that a market lies in memory once.
"""

from __future__ import annotations

import copy
import mmap
import multiprocessing
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from backtest import quoters
from backtest.loop.account import Charges, Standing
from backtest.loop.layout import NEVER
from backtest.playing import Played, Replay, Terms
from backtest.quoters import Quoter, Stall
from backtest.report.account import Account, Costs, account_of
from backtest.report.flow import Flow, flow_of
from backtest.report.scenarios import Scenario
from backtest.studies.gating import Judged, Scores, Watch, quoted, scores
from backtest.tape import TAIL_NS, Tape
from backtest.together import play_together
from common.cpus import usable
from quoter.card import Card
from simvenue.market import market_of
from simvenue.money.fees import PPB_PER_BPS

AHEAD = 2
"""Jobs handed out beyond the number of processes: enough to keep them busy, few enough to hold few pieces on disk."""
TOLD = "tape.pickle"
Piece: TypeAlias = Sequence[tuple[int, Tape]]
"""(number of the market, its tape) of one stretch of time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every replay of one market shares."""

    stall: Stall
    profile: str
    costs: Costs
    card: Card | None
    has_budget: bool = False
    """True: the venue refuses what the address has not earned, as it would; False: actions are only counted."""
    cycle_ms: float = 0.0
    """Of the quoter, where the data are coarse (`Opened.cycle_ms`)."""

    @property
    def forecast_weight(self) -> float:
        """The forecast's weight in the fair price, 0 = there is none."""
        return self.stall.settings.quoting.forecast_weight if self.card is not None else 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """One scenario on the piece that lies in `folder`, with the edge gate's stops; the first also measures flow."""

    plans: tuple[Plan, ...]
    scenario: Scenario
    folder: str
    piece: int
    markets: tuple[int, ...]
    measures_flow: bool
    stops_t_ns: tuple[int, ...] = ()
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one market in one job; `scores` and `quoted_ns` are the edge gate's, up to `to_t_ns`.

    `standing` is the whole account's.
    """

    piece: int
    scenario: Scenario
    account: Account
    flow: Flow | None
    market: int = 0
    scores: Scores | None = None
    quoted_ns: Any = None
    to_t_ns: int = 0
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """Everything that was played, and what the edge gate said of each market (its number) in each scenario."""

    done: list[Done]
    gates: dict[tuple[int, Scenario], Judged]


def span_of(tape: Tape) -> tuple[int, int]:
    """First and last time we quote at: the tape's, less the tail in which the last fills are marked out."""
    first, last = int(tape.stamp_ns[0]), int(tape.stamp_ns[-1])
    return first, max(last - TAIL_NS, first + 1)


def replayed(
    piece: Piece, plans: Sequence[Plan], scenario: Scenario, number: int, *, measures_flow: bool,
    stops_t_ns: Sequence[int] = (), standing: Standing | None = None,
) -> list[Done]:  # fmt: skip
    """One piece, in this process: each of its markets' outcome."""
    stops = stops_t_ns or [NEVER] * len(piece)
    terms = [terms_of(tape, plans[m], scenario, stop, standing) for (m, tape), stop in zip(piece, stops, strict=True)]
    made = [ready(tape, plans[m], one) for (m, tape), one in zip(piece, terms, strict=True)]
    if len(made) == 1:
        made[0].go()
        results = [made[0].played()]
    else:
        results = play_together(made, min(one.from_t_ns for one in terms))
    left = standing_after(made)
    return [
        _done(number, scenario, m, plans[m], tape, one, played, left, measures_flow=measures_flow)
        for (m, tape), one, played in zip(piece, terms, results, strict=True)
    ]


def standing_after(replays: Sequence[Replay]) -> Standing:
    """Of the account that the replays share; each knows all but how high the others saw it."""
    return replace(replays[0].standing, peak_e8=max(one.standing.peak_e8 for one in replays))


def terms_of(tape: Tape, plan: Plan, scenario: Scenario, stop_t_ns: int, standing: Standing | None) -> Terms:
    delays = scenario.delays
    return Terms(
        *span_of(tape), delays.feed_ms, delays.order_ms, scenario.model, latency=delays.table,
        is_recorded=delays.is_recorded, charges=charges_of(plan, standing), risk=plan.stall.settings.risk,
        stop_t_ns=stop_t_ns,
    )  # fmt: skip


def ready(tape: Tape, plan: Plan, terms: Terms) -> Replay:
    return Replay(tape, quoter_of(plan), terms, plan.card.model() if plan.card is not None else None)


def quoter_of(plan: Plan) -> Quoter:
    made = quoters.production(plan.stall, plan.profile, weight=plan.forecast_weight, executes=True)
    return replace(made, cycle_ms=plan.cycle_ms)


def _done(
    number: int, scenario: Scenario, market: int, plan: Plan, tape: Tape, terms: Terms, played: Played,
    standing: Standing, *, measures_flow: bool,
) -> Done:  # fmt: skip
    stall, span = plan.stall, (terms.from_t_ns, terms.to_t_ns)
    flow = flow_of(tape, played.mid2, stall.fee_bps, stall.cap_usd, *span) if measures_flow else None
    told = scores(played, plan.costs.maker_ppb / PPB_PER_BPS)
    when = quoted(played, stall.settings, span[0])
    return Done(number, scenario, account_of(played, plan.costs, *span), flow, market, told, when, span[1], standing)


def charges_of(plan: Plan, standing: Standing | None) -> Charges:
    """What the venue of this market takes and asks for; where actions are only counted, each span has a new budget."""
    market, costs = market_of(plan.stall.settings), plan.costs
    if standing is not None and not plan.has_budget:
        standing = replace(standing, sent=0, earned_e6=0)
    return Charges(
        costs.maker_ppb, costs.taker_ppb, costs.leverage, costs.max_leverage, costs.equity_usd,
        is_growth=market.growth_mode, is_hip3=market.is_hip3, has_budget=plan.has_budget,
        interest_rate_1h=market.interest_rate_1h, funding_clamp=market.funding_clamp,
        funding_multiplier=market.funding_multiplier, impact_usd=market.impact_notional_usd,
        standing=standing,
    )  # fmt: skip


# ---------------------------------------------------------------------- the edge gate over pieces
class Gates:
    """One watch for each market of each scenario; pieces are told in their order."""

    def __init__(self, plans: Sequence[Plan], scenarios: Sequence[Scenario]) -> None:
        self._enforces = [plan.stall.settings.enforces_edge for plan in plans]
        self._watches = {
            (m, scenario): Watch(plan.stall.settings, forecasts=plan.forecast_weight > 0.0)
            for m, plan in enumerate(plans)
            for scenario in scenarios
        }

    def stops_t_ns(self, scenario: Scenario, markets: Sequence[int]) -> tuple[int, ...]:
        """From when on each market only takes its position down, as far as is known now."""
        stops = [self._watches[m, scenario].stop_t_ns for m in markets]
        known = [stop if self._enforces[m] else None for m, stop in zip(markets, stops, strict=True)]
        return tuple(NEVER if stop is None else stop for stop in known)

    def see(self, results: Sequence[Done]) -> bool:
        """Hear of one piece; True when a market has to be stopped in it, so that it must be replayed.

        The earliest stop counts alone: what the account's other markets did after it will be different.
        """
        trial = {(one.market, one.scenario): copy.deepcopy(self._watches[one.market, one.scenario]) for one in results}
        stops = []
        for one in results:
            assert one.scores is not None  # a replay always has them
            stop = trial[one.market, one.scenario].see(one.scores, one.quoted_ns, one.to_t_ns)
            if stop is not None and self._enforces[one.market]:
                stops.append((stop, one.market, one.scenario))
        if not stops:
            self._watches |= trial
            return False
        _, market, scenario = min(stops, key=lambda found: found[:2])
        self._watches[market, scenario] = trial[market, scenario]
        return True

    def judged(self) -> dict[tuple[int, Scenario], Judged]:
        return {place: watch.judged for place, watch in self._watches.items()}


# ---------------------------------------------------------------------- on every core
@dataclass(slots=True)
class _Queue:
    """Jobs on their way, those whose turn has not come, and where each scenario's account stands."""

    pool: ProcessPoolExecutor
    gates: Gates
    told: Callable[[Done], None]
    scenarios: Sequence[Scenario]
    running: dict[Future[list[Done]], Job] = field(default_factory=dict)
    held: dict[tuple[Scenario, int], Job] = field(default_factory=dict)
    turn: dict[Scenario, int] = field(default_factory=dict)  # the piece that is next
    standing: dict[Scenario, Standing | None] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)  # scenarios a piece still needs
    done: list[Done] = field(default_factory=list)

    def submit(self, job: Job) -> None:
        """Run it when the piece before it has been accepted."""
        self.left.setdefault(job.piece, len(self.scenarios))
        self.held[job.scenario, job.piece] = job
        self._next(job.scenario)

    def collect(self, *, until: int) -> None:
        """Wait until no more than so many jobs are left."""
        while len(self.running) + len(self.held) > until:
            ended, _ = wait(self.running, return_when=FIRST_COMPLETED)
            for future in ended:
                self._settle(self.running.pop(future), future.result())

    def _next(self, scenario: Scenario) -> None:
        job = self.held.pop((scenario, self.turn.get(scenario, 0)), None)
        if job is not None:
            self._run(job)

    def _run(self, job: Job) -> None:
        stops = self.gates.stops_t_ns(job.scenario, job.markets)
        job = replace(job, stops_t_ns=stops, standing=self.standing.get(job.scenario))
        self.running[self.pool.submit(_replayed_from, job)] = job

    def _settle(self, job: Job, results: list[Done]) -> None:
        """Accept the piece, or play it again with the stop that it called for."""
        if self.gates.see(results):
            self._run(job)
            return
        self.turn[job.scenario] = job.piece + 1
        self.standing[job.scenario] = results[0].standing
        for one in results:
            self.done.append(replace(one, scores=None, quoted_ns=None))
            self.told(one)
        self.left[job.piece] -= 1
        if self.left[job.piece] == 0:
            rmtree(job.folder)
        self._next(job.scenario)


def all_replayed(
    pieces: Iterable[Piece], plans: Sequence[Plan], scenarios: Sequence[Scenario], told: Callable[[Done], None],
    processes: int | None = None,
) -> Ran:  # fmt: skip
    """Every scenario on every piece, in the order of pieces and scenarios; `told` hears of each as it ends."""
    width = processes or usable() + 1  # nine scenarios on two cores: three rounds of three leave none idle
    gates = Gates(plans, scenarios)
    with (
        TemporaryDirectory(prefix="amm-backtest-") as root,
        ProcessPoolExecutor(width, multiprocessing.get_context("spawn")) as pool,
    ):
        queue = _Queue(pool, gates, told, scenarios)
        for job in _jobs(pieces, tuple(plans), scenarios, Path(root)):
            queue.collect(until=width + AHEAD - 1)
            queue.submit(job)
        queue.collect(until=0)
    order = {scenario: k for k, scenario in enumerate(scenarios)}
    done = sorted(queue.done, key=lambda one: (one.piece, order[one.scenario], one.market))
    return Ran(done, gates.judged())


def _jobs(pieces: Iterable[Piece], plans: tuple[Plan, ...], scenarios: Sequence[Scenario], root: Path) -> Iterator[Job]:
    for number, piece in enumerate(pieces):
        folder = root / str(number)
        markets = tuple(market for market, _ in piece)
        for market, tape in piece:
            write_columns(tape, folder / str(market))
        for k, scenario in enumerate(scenarios):
            yield Job(plans, scenario, str(folder), number, markets, k == 0)


def _replayed_from(job: Job) -> list[Done]:
    piece = [(market, read_columns(Path(job.folder) / str(market))) for market in job.markets]
    return replayed(
        piece, job.plans, job.scenario, job.piece, measures_flow=job.measures_flow, stops_t_ns=job.stops_t_ns,
        standing=job.standing,
    )  # fmt: skip


# ---------------------------------------------------------------------- columns on disk
def write_columns(tape: Tape, folder: Path) -> None:
    """The tape without its columns, and each column as its bytes (pickle's out-of-band buffers, PEP 574)."""
    folder.mkdir(parents=True)
    columns: list[pickle.PickleBuffer] = []
    told = pickle.dumps(tape, protocol=5, buffer_callback=columns.append)
    (folder / TOLD).write_bytes(told)
    for k, column in enumerate(columns):
        (folder / f"{k:03d}").write_bytes(column.raw())


def read_columns(folder: Path) -> Tape:
    """The tape as it was written; changing it changes nothing on disk."""
    files = sorted(path for path in folder.iterdir() if path.name != TOLD)
    tape: Tape = pickle.loads((folder / TOLD).read_bytes(), buffers=[_mapped(path) for path in files])
    return tape


def _mapped(path: Path) -> mmap.mmap | bytearray:
    if path.stat().st_size == 0:
        return bytearray()
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
