"""Does what we do here earn?  Our own fills' net 60 s markouts decide; where they say no, the market is stopped.

Net is the markout 60 s after the fill less the fee really charged, weighted by dollars, with a bootstrap interval that
resamples blocks of 5 minutes (common/stats.py). It is looked at when a block is complete. Upper bound below 0: no edge.
A mean above 0 needs no bootstrap, so a market that earns never pays for one.

A stopped market quotes only what takes its position down, and nothing once it is flat.

Re-arm rule: a stop holds until something it rested on has changed, and then the evidence begins anew: a person's `arm`
or `resume`, another accepted forecast, or a lower maker fee. Time alone re-arms nothing, and neither does a restart:
what rests on evidence is kept (`edge_file.py` writes it down) and taken up again. Fills told again after a restart are
not scored a second time; those whose 60 s were not over are lost.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import msgspec

from common.config import Settings
from common.stats import Interval, bootstrap_mean
from quoter.state import NS

HORIZON_S = 60
SETTLED_NS = 90 * NS
"""A block is judged so long after its end: 60 s for the markout, 30 s for a mid that decides it."""
SEED = 60
DRAWS = 400
"""Drawn on the quoter's own loop: with a day of blocks about 20 ms, once in 5 minutes, and only while the mean is
below 0."""


class KeptBlock(msgspec.Struct, frozen=True, array_like=True):
    """One block's fills: how many, USD, and bps x USD net."""

    number: int
    fills: int
    usd: float
    net: float


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All the gate knows, to be taken up by another process."""

    block_ns: int
    blocks: list[KeptBlock]
    stopped: bool
    found: Interval | None
    judged: int
    fee_ppb: int | None
    model: str | None
    trial_blocks: int = 0
    proven: bool = False


@dataclass(slots=True)
class _Block:
    number: int
    fills: int = 0
    usd: float = 0.0
    net: float = 0.0  # bps x USD


class EdgeGate:
    """Scores in; `stopped` and `found` (the interval it was last judged on) out."""

    def __init__(self, settings: Settings) -> None:
        q = settings.quoting
        self.enforces = settings.enforces_edge
        self.stopped = False
        self.found: Interval | None = None
        self._block_ns = int(q.edge_gate_block_s * NS)
        self._blocks_max = max(int(q.edge_gate_window_h * 3600 * NS) // self._block_ns, 1)
        self._blocks_min, self._level = q.edge_gate_blocks_min, q.edge_gate_level
        self._blocks: deque[_Block] = deque()
        self._judged = 0
        self._trial = max(math.ceil(q.edge_gate_trial_h * 3600 * NS / self._block_ns), 1)
        self._trial_blocks, self._quoted, self._proven = 0, -1, False
        self._forecasts = False
        self._fee_ppb: int | None = None
        self._model: str | None = None
        self.changes = 0
        """Goes up with whatever is to be kept."""

    @property
    def fills(self) -> int:
        """Marked-out fills the evidence rests on."""
        return sum(block.fills for block in self._blocks)

    @property
    def is_tried(self) -> bool:
        """Whether the trial is over without an edge shown."""
        return not self._forecasts and not self._proven and self._trial_blocks >= self._trial

    @property
    def why(self) -> str:
        """What it was stopped for, in one sentence."""
        found, fills = self.found, f"{self.fills} fill{'' if self.fills == 1 else 's'}"
        trial_h = self._trial_blocks * self._block_ns / NS / 3600
        trial = f"{trial_h:.1f} h of quoting without a forecast have not shown an edge: "
        if found is None and not self._blocks:
            return "what was kept of our fills cannot be read"
        if found is None or found.lo is None or found.hi is None:
            return f"{trial}{fills}, too few to tell"
        proof = (
            f"net 60 s markout {found.mean:+.2f} bps [{found.lo:+.2f}, {found.hi:+.2f}] over {fills} in "
            f"{found.blocks} blocks of {self._block_ns // NS} s"
        )
        return proof if found.hi < 0.0 else trial + proof

    def on_score(self, t_ns: int, net_bps: float, usd: float) -> None:
        """One fill of `usd` at market time `t_ns` was worth `net_bps` after its fee; they may come a little late."""
        number = t_ns // self._block_ns
        block = next((b for b in reversed(self._blocks) if b.number == number), None)
        if block is None:
            block = _Block(number)
            later = [self._blocks.pop() for _ in range(sum(b.number > number for b in self._blocks))]
            self._blocks.append(block)
            self._blocks.extend(reversed(later))
        self.changes += 1
        block.fills += 1
        block.usd += usd
        block.net += net_bps * usd
        while self._blocks[-1].number - self._blocks[0].number >= self._blocks_max:
            self._blocks.popleft()

    def on_quoted(self, t_ns: int) -> None:
        """Quotes of ours rest at `t_ns`: without a forecast the trial goes on, block by block."""
        number = t_ns // self._block_ns
        if number != self._quoted and not self._forecasts:
            self._quoted = number
            self._trial_blocks += 1
            self._note()

    def look(self, t_ns: int, settled_ns: int) -> bool:
        """Judge once a block has ended and its fills are `settled_ns` old; True when this stops the market."""
        number = (t_ns - settled_ns) // self._block_ns
        if self.stopped or number == self._judged:
            return False
        self._judged = number
        self._note()
        blocks = [block for block in self._blocks if block.number < number and block.usd > 0.0]
        tried = self.is_tried
        if len(blocks) < self._blocks_min:
            self.stopped = tried and bool(blocks)
            return self.stopped
        mean = sum(block.net for block in blocks) / sum(block.usd for block in blocks)
        if mean >= 0.0 and not tried:
            self.found = Interval(mean, None, None, len(blocks), len(blocks))
            return False
        found = self.found = self._interval(blocks)
        self._proven = self._proven or (found is not None and found.lo is not None and found.lo > 0.0)
        lost = found is not None and found.hi is not None and found.hi < 0.0
        self.stopped = lost or (tried and not self._proven)
        return self.stopped

    def _interval(self, blocks: list[_Block]) -> Interval | None:
        means, weights = [block.net / block.usd for block in blocks], [block.usd for block in blocks]
        places = [block.number for block in blocks]
        return bootstrap_mean(means, weights, places, seed=SEED, level=self._level, draws=DRAWS)

    # ------------------------------------------------------------------ re-arm
    def rearm(self) -> None:
        """Begin anew, without evidence."""
        self.stopped, self.found = False, None
        self._trial_blocks, self._quoted, self._proven = 0, -1, False
        self._blocks.clear()
        self.changes += 1

    def on_fee(self, maker_ppb: int) -> None:
        """The maker fee now in force; a lower one re-arms."""
        if self._fee_ppb is not None and maker_ppb < self._fee_ppb:
            self.rearm()
        if self._fee_ppb != maker_ppb:
            self._note()
        self._fee_ppb = maker_ppb

    def on_model(self, seal: str | None) -> None:
        """The accepted forecast now in use (None = none); another one re-arms."""
        self._forecasts = seal is not None
        if seal is not None and self._model is not None and seal != self._model:
            self.rearm()
        if seal is not None:
            self._model = seal
            self._note()

    def _note(self) -> None:
        """Without evidence there is nothing to keep."""
        if self._blocks or self.stopped or self._trial_blocks:
            self.changes += 1

    # ------------------------------------------------------------------ over a restart
    def keep(self) -> Kept:
        """What another process needs to go on from here."""
        blocks = [KeptBlock(block.number, block.fills, block.usd, block.net) for block in self._blocks]
        return Kept(
            self._block_ns, blocks, self.stopped, self.found, self._judged, self._fee_ppb, self._model,
            self._trial_blocks, self._proven,
        )  # fmt: skip

    def distrust(self) -> None:
        """What another process left says nothing: stopped, until a person re-arms it."""
        self.stopped, self.found = True, None
        self._blocks.clear()
        self.changes += 1

    def take_up(self, kept: Kept) -> None:
        """Go on where another process left off; blocks of another length say nothing, but a stop stays a stop.

        A fee or a forecast of our own that has been told already is held against the kept one: it may re-arm.
        """
        fee_ppb, model, forecasts = self._fee_ppb, self._model, self._forecasts
        if kept.block_ns == self._block_ns:
            own = list(self._blocks)
            blocks = [_Block(block.number, block.fills, block.usd, block.net) for block in kept.blocks]
            self._blocks = deque([*blocks, *own])
            self._judged = max(self._judged, kept.judged)
            self._trial_blocks += kept.trial_blocks
            self._proven = self._proven or kept.proven
        self.stopped, self.found = kept.stopped, kept.found
        self._fee_ppb, self._model = kept.fee_ppb, kept.model
        self.changes += 1
        if fee_ppb is not None:
            self.on_fee(fee_ppb)
        self.on_model(model if forecasts else None)
