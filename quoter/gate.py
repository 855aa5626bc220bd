"""Whether we may quote at all, and if not, why: every reason is one word, and any one of them empties the ladder.

This room judges what others told us (permit, account, market facts, commands) and how old it is. It leaves to the
kernels: why one side or level is withheld. Failing closed is the rule: what is unknown is a reason. Ages that decide
safety are machine time since receipt; the venue's own stamps must in addition be recent in market time.
"""

from __future__ import annotations

from common.config import Settings
from common.messages import AccountState, AssetContext, Command, MarketSpec, Mode, RiskPermit, Verb
from quoter.inventory import Inventory
from quoter.pace import NS, Pace

MARKET_AGE_S = 1.5
MARKET_AGE_RATE = 4.0
"""Design 2: now - venue_t_ns < 1.5 s x max(1, rate / 4)."""
COMMAND_HOLD_S = 1.0
"""A pause or kill holds until a permit made so much later (machine seconds) says otherwise: riskd needs a moment."""


class Gate:
    """The newest word of everyone who may stop us."""

    def __init__(self, settings: Settings) -> None:
        self._data_age_ns = int(settings.quoting.data_age_max_s * NS)
        self._permit_ttl_ns = int(settings.risk.permit_ttl_s * NS)
        self.spec: MarketSpec | None = None
        self.context: AssetContext | None = None
        self.account: AccountState | None = None
        self.permit: RiskPermit | None = None
        self._permit_mono_ns = 0
        self._command: Command | None = None
        self.stopping = False

    def on_permit(self, permit: RiskPermit, mono_ns: int) -> None:
        self.permit, self._permit_mono_ns = permit, mono_ns

    def on_command(self, command: Command) -> None:
        """A person's pause or kill counts at once, before riskd's permit says the same."""
        if command.verb in (Verb.PAUSE, Verb.KILL):
            self._command = command

    def reasons(self, pace: Pace, inventory: Inventory, venue_t_ns: int, data_mono_ns: int | None) -> list[str]:
        """Why nothing may be quoted now; empty = go.  `data_mono_ns` is when the newest book or touch came."""
        if pace.mono_ns is None:
            return ["no_clock"]
        if self.stopping:
            return ["stopping"]
        mono_ns = pace.mono_ns
        found = self._market_reasons() + self._account_reasons(inventory, mono_ns) + self._permit_reasons(pace, mono_ns)
        if data_mono_ns is None:
            found.append("no_data")
        elif mono_ns - data_mono_ns > self._data_age_ns:
            found.append("stale_data")
        elif pace.t_ns - venue_t_ns > MARKET_AGE_S * max(1.0, pace.rate / MARKET_AGE_RATE) * NS:
            found.append("stale_venue")
        return found

    def _market_reasons(self) -> list[str]:
        if self.spec is None:
            return ["no_spec"]
        if self.spec.is_delisted:
            return ["delisted"]
        return ["no_oracle"] if self.context is None else []

    def _account_reasons(self, inventory: Inventory, mono_ns: int) -> list[str]:
        if self.account is None:
            return ["no_account"]
        found = []
        if self.account.equity_e8 <= 0:
            found.append("no_equity")
        if self.account.maker_fee_ppb is None:
            found.append("no_fee")
        if inventory.disagrees(mono_ns):
            found.append("position_disagrees")
        return found

    def _permit_reasons(self, pace: Pace, mono_ns: int) -> list[str]:
        permit = self.permit
        if permit is None:
            return ["no_permit"]
        if mono_ns - self._permit_mono_ns > self._permit_ttl_ns or pace.t_ns > permit.expires_t_ns:
            return ["permit_expired"]
        if permit.mode not in (Mode.ACTIVE, Mode.REDUCING):
            return [permit.mode.value]
        command = self._command
        if command is not None and permit.t_ns <= command.t_ns + pace.market_ns(COMMAND_HOLD_S):
            return [f"command_{command.verb.value}"]
        return []
