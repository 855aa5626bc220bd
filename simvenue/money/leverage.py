"""Leverage, margin mode and isolated margin: what an account may change, and what that moves.

From hyperliquid.md 10 and 11 (docs: "Margining"; texts and their sources: `desk/refusals.py`): leverage is a whole
number up to the market's maximum and only asked for when something is opened, so raising it is free while lowering it
needs the margin; the mode of an open position cannot change; isolated margin can be added and, unless the market is
`strictIsolated`, taken out down to the initial margin or a tenth of the notional. Every method returns None when it is
done, else the venue's words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from simvenue.book.pit import Pit
from simvenue.desk import refusals
from simvenue.events import Account
from simvenue.money import margin
from simvenue.money.accounts import Accounts
from simvenue.money.standing import Standings

STRICT = "strictIsolated"
_LEVERAGE = re.compile(r"[0-9]{1,4}(\.[0-9]{1,8})?", re.ASCII)


class Leverages:
    """The margin settings of every account."""

    def __init__(self, pits: Sequence[Pit], accounts: Accounts, standings: Standings) -> None:
        self._pits = {pit.market.coin: pit for pit in pits}
        self._accounts = accounts
        self._standings = standings

    def set_leverage(self, address: str, coin: str, n: int, is_cross: bool) -> str | None:
        """`updateLeverage`; the caller refreshes what the account may open."""
        market = self._pits[coin].market
        account = self._accounts.get(address, market.collateral)
        exposure = self._standings.exposures(account)[coin]
        if not 1 <= n <= margin.leverage_limit(exposure.notional_e6, market.max_leverage, market.margin_tiers):
            return refusals.BAD_LEVERAGE.text
        if is_cross and market.is_isolated_only:
            return refusals.NO_CROSS.text
        if exposure.position_u and is_cross != (exposure.isolated_e8 is None):
            return refusals.LEVERAGE_TYPE.text
        if exposure.position_u and n < exposure.leverage and (refused := self._lowering(account, coin, n)) is not None:
            return refused
        account.leverage[coin] = n
        account.is_isolated[coin] = not is_cross
        return None

    def update_isolated_margin(self, address: str, coin: str, usd_e6: int) -> str | None:
        """`updateIsolatedMargin`: move 1e-6 quote from the cross account to the position, or back when negative."""
        market = self._pits[coin].market
        account = self._accounts.get(address, market.collateral)
        exposure = self._standings.exposures(account)[coin]
        if usd_e6 == 0:
            return refusals.ISOLATED_ZERO.text
        if exposure.position_u == 0:
            return refusals.ISOLATED_EMPTY.text
        if exposure.isolated_e8 is None:
            return refusals.NOT_ISOLATED.text
        usd_e8 = usd_e6 * 100
        if usd_e8 > 0 and usd_e8 > self._standings.standing(account).withdrawable_e8:
            return refusals.ISOLATED_INCREASE.text
        if usd_e8 < 0:
            if market.margin_mode == STRICT:
                return refusals.ISOLATED_STRICT.text
            initial = margin.used_e8(replace(exposure, isolated_e8=None))
            if exposure.own_equity_e8 + usd_e8 < margin.kept_e8(initial, exposure.notional_e6):
                return refusals.ISOLATED_DECREASE.text
        account.isolated_e8[coin] += usd_e8
        return None

    def top_up(self, address: str, coin: str, leverage: str) -> str | None:
        """`topUpIsolatedOnlyMargin`: add what makes the position's notional `leverage` times its margin.

        Nothing to add counts as a zero update (the venue's rule is not published).
        """
        market = self._pits[coin].market
        if market.margin_mode != STRICT:
            return "Asset not strict isolated"
        if _LEVERAGE.fullmatch(leverage) is None or Fraction(leverage) <= 0:
            return refusals.BAD_LEVERAGE.text
        exposure = self._standings.exposures(self._accounts.get(address, market.collateral))[coin]
        wanted_e8 = Fraction(exposure.notional_e6 * 100) / Fraction(leverage)
        missing_e6 = -((exposure.own_equity_e8 - wanted_e8) // 100)
        return self.update_isolated_margin(address, coin, max(0, missing_e6))

    def _lowering(self, account: Account, coin: str, n: int) -> str | None:
        """Why an open position may not go on with a lower leverage."""
        exposures = self._standings.exposures(account)
        exposure = exposures[coin]
        if exposure.isolated_e8 is not None:
            initial = margin.used_e8(replace(exposure, isolated_e8=None, leverage=n))
            return None if exposure.own_equity_e8 >= initial else refusals.ISOLATED_LEVERAGE_MARGIN.text
        lowered = exposures | {coin: replace(exposure, leverage=n)}
        required = sum(margin.required_e8(e) for e in lowered.values())
        value = self._standings.standing(account).cross_value_e8
        return None if value >= required else refusals.CROSS_LEVERAGE_MARGIN.text
