"""Read the fees again and again: the account's rates and what the market makes of them, hourly and on doubt.

Tier, staking and referral are the account's; the deployer's scale, growth mode and aligned collateral the market's: all
may change while we run. One reading is five questions (weight 100 of the shared bucket). What cannot be read for
`fees_age_h_max` hours is unknown, and so is what the venue does not say. Machine time: requests cost the same at any
speed of the market.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from common.clock import NS, mono_ns
from common.config import Settings
from common.errors import BadInput, LinkDown, VenueError
from common.hyperliquid import InfoClient
from common.log import get_log
from executor.events import FeesRead

RETRY_S = 60.0
"""Between two readings at least, however many fills disagree; also after a failure."""
H_NS = 3_600 * NS

log = get_log("executor")


class FeeReader:
    """One account in one market; `post` takes what was read."""

    def __init__(
        self,
        settings: Settings,
        info: InfoClient,
        post: Callable[[Any], None],
        *,
        mono: Callable[[], int] = mono_ns,
        retry_s: float = RETRY_S,
    ) -> None:
        self._settings = settings
        self._info = info
        self._post = post
        self._mono = mono
        self._retry_s = retry_s
        self._read_mono_ns = mono()
        self._wanted = asyncio.Event()
        self._known = False

    def want(self) -> None:
        """Read as soon as allowed."""
        self._wanted.set()

    async def follow(self, *, known: bool) -> None:
        """For ever; the start has just read once, and knew or did not."""
        self._known, self._read_mono_ns = known, self._mono()
        while True:
            await asyncio.sleep(self._retry_s)
            await self._until_due()
            self._wanted.clear()
            await self.read()

    async def _until_due(self) -> None:
        """The hour is over, somebody asked, or nothing is known."""
        every_ns = self._settings.execution.fees_every_h * H_NS
        left_s = (self._read_mono_ns + every_ns - self._mono()) / NS
        if not self._known or left_s <= 0.0:
            return
        try:
            async with asyncio.timeout(left_s):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def read(self) -> None:
        """One reading, told to the core whatever came of it (a failure only once it has lasted too long)."""
        try:
            market = await self._info.discover(self._settings.market.coin)
            fees = market.fees(await self._info.user_fees(self._settings.wallet_address))
        except (LinkDown, VenueError, BadInput) as error:
            log.info("fees_not_read", reason=str(error)[:200])
            if self._mono() - self._read_mono_ns > self._settings.execution.fees_age_h_max * H_NS:
                self._known = False
                self._post(FeesRead(None, None, "not read for too long"))
            return
        self._read_mono_ns, self._known = self._mono(), fees is not None
        if fees is None:
            self._post(FeesRead(None, None, "the dex does not say its fee scale"))
        else:
            self._post(FeesRead(fees.maker_ppb, fees.taker_ppb))
