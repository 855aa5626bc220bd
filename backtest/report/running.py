"""All scenarios on all pieces of a market, on every core: each replay in its own process, fed from columns on disk.

A piece is one tape; pieces follow each other in time and are replayed apart (each begins flat). Decides no rule of the
replay. A process reads the columns as copy-on-write maps, so that a market lies in memory once.
"""

from __future__ import annotations

import mmap
import multiprocessing
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from backtest import quoters
from backtest.loop.account import Charges
from backtest.playing import Terms, play
from backtest.quoters import Stall
from backtest.report.account import Account, Costs, account_of
from backtest.report.flow import Flow, flow_of
from backtest.report.scenarios import Scenario
from backtest.tape import TAIL_NS, Tape
from common.cpus import usable
from quoter.card import Card
from simvenue.market import market_of

AHEAD = 2
"""Jobs handed out beyond the number of processes: enough to keep them busy, few enough to hold few pieces on disk."""
TOLD = "tape.pickle"
NEVER_SILENT_MS = 1e9
"""A made-up market says nothing while nothing happens; that is no outage."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every replay of a backtest shares."""

    stall: Stall
    profile: str
    costs: Costs
    card: Card | None
    is_made_up: bool
    has_budget: bool = False
    """True: the venue refuses what the address has not earned, as it would; False: actions are only counted."""


@dataclass(frozen=True, slots=True)
class Job:
    """One scenario on the piece that lies in `folder`; the first scenario also measures the market's flow."""

    plan: Plan
    scenario: Scenario
    folder: str
    piece: int
    measures_flow: bool


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one job."""

    piece: int
    scenario: Scenario
    account: Account
    flow: Flow | None


def span_of(tape: Tape) -> tuple[int, int]:
    """First and last time we quote at: the tape's, less the tail in which the last fills are marked out."""
    first, last = int(tape.stamp_ns[0]), int(tape.stamp_ns[-1])
    return first, max(last - TAIL_NS, first + 1)


def replayed(tape: Tape, plan: Plan, scenario: Scenario, piece: int, *, measures_flow: bool) -> Done:
    """One replay, in this process."""
    from_t_ns, to_t_ns = span_of(tape)
    terms = Terms(
        from_t_ns, to_t_ns, scenario.feed_ms, scenario.order_ms, scenario.model, charges=charges_of(plan),
        risk=plan.stall.settings.risk,
    )  # fmt: skip
    if plan.is_made_up:
        terms = replace(terms, silence_ms=NEVER_SILENT_MS)
    weight = plan.stall.settings.quoting.forecast_weight if plan.card is not None else 0.0
    quoter = quoters.production(plan.stall, plan.profile, weight=weight)
    played = play(tape, quoter, terms, plan.card.model() if plan.card is not None else None)
    flow = None
    if measures_flow:
        flow = flow_of(tape, played.mid2, plan.stall.fee_bps, plan.stall.cap_usd, from_t_ns, to_t_ns)
    return Done(piece, scenario, account_of(played, plan.costs, from_t_ns, to_t_ns), flow)


def charges_of(plan: Plan) -> Charges:
    """What the venue of this market takes and asks for."""
    market, costs = market_of(plan.stall.settings), plan.costs
    return Charges(
        costs.maker_ppb, costs.taker_ppb, costs.leverage, costs.max_leverage, costs.equity_usd,
        is_growth=market.growth_mode, is_hip3=market.is_hip3, has_budget=plan.has_budget,
        interest_rate_1h=market.interest_rate_1h, funding_clamp=market.funding_clamp,
        funding_multiplier=market.funding_multiplier, impact_usd=market.impact_notional_usd,
    )  # fmt: skip


def all_replayed(
    pieces: Iterable[Tape], plan: Plan, scenarios: Sequence[Scenario], told: Callable[[Done], None],
    processes: int | None = None,
) -> list[Done]:  # fmt: skip
    """Every scenario on every piece, in the order of pieces and scenarios; `told` hears of each as it ends."""
    width = processes or usable()
    done: list[Done] = []
    left: dict[int, int] = {}
    with (
        TemporaryDirectory(prefix="amm-backtest-") as root,
        ProcessPoolExecutor(width, multiprocessing.get_context("spawn")) as pool,
    ):
        running: set[Future[Done]] = set()

        def collect(*, until: int) -> None:
            nonlocal running
            while len(running) > until:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    found = future.result()
                    done.append(found)
                    told(found)
                    left[found.piece] -= 1
                    if left[found.piece] == 0:
                        rmtree(Path(root) / str(found.piece))

        for job in _jobs(pieces, plan, scenarios, Path(root)):
            left.setdefault(job.piece, len(scenarios))
            collect(until=width + AHEAD - 1)
            running.add(pool.submit(_replayed_from, job))
        collect(until=0)
    order = {scenario: k for k, scenario in enumerate(scenarios)}
    return sorted(done, key=lambda one: (one.piece, order[one.scenario]))


def _jobs(pieces: Iterable[Tape], plan: Plan, scenarios: Sequence[Scenario], root: Path) -> Iterator[Job]:
    for piece, tape in enumerate(pieces):
        folder = root / str(piece)
        write_columns(tape, folder)
        for k, scenario in enumerate(scenarios):
            yield Job(plan, scenario, str(folder), piece, k == 0)


def _replayed_from(job: Job) -> Done:
    tape = read_columns(Path(job.folder))
    return replayed(tape, job.plan, job.scenario, job.piece, measures_flow=job.measures_flow)


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
