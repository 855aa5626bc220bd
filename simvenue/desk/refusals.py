"""Every refusal in the venue's own words, and where those words were seen.

A refusal of one order ends with ` asset=<id>` and gives the order a status; one of a whole action is the `response` of
`{"status": "err"}`. Texts with braces are filled in by `.of(...)`. Nothing is decided here. The sources, by name:

- `docs`: the venue's documentation ("Error responses"; status words: "Order status").
- `client`: captured by public clients and kept in their code, tests or bug reports (fixture `error_strings.json`).
- `probe`: quoted from public experiments on the venue's test network of 2026.
- `node`: text constants found by others in the venue's node software; never seen on the wire by us.
- `ours`: the venue has the rule, its words are not public.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["docs", "client", "probe", "node", "ours"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The venue's text for one order and its word for the order's status."""

    text: str
    status: str
    origin: Origin

    def of(self, asset: int) -> str:
        return f"{self.text} asset={asset}"


@dataclass(frozen=True, slots=True)
class Words:
    """The venue's text for a whole action; `reason` is the metric's label."""

    reason: str
    text: str
    origin: Origin

    def of(self, **parts: object) -> str:
        return self.text.format(**parts)


# ---------------------------------------------------------------------- one order
BAD_PX = Refusal("Order has invalid price.", "tickRejected", "client")
OFF_TICK = Refusal("Price must be divisible by tick size.", "tickRejected", "docs")
BAD_SZ = Refusal("Order has invalid size.", "rejected", "client")
ZERO_SZ = Refusal("Order has zero size.", "rejected", "client")
BAD_TIF = Refusal("Order has invalid tif.", "rejected", "ours")
TOO_SMALL = Refusal("Order must have minimum value of $10.", "minTradeNtlRejected", "docs")
TOO_LARGE = Refusal("Order exceeds the maximum notional.", "rejected", "ours")
TOO_FAR = Refusal("Order price cannot be more than 80% away from the reference price", "oracleRejected", "client")
NO_MARGIN = Refusal("Insufficient margin to place order.", "perpMarginRejected", "docs")
WOULD_INCREASE = Refusal("Reduce only order would increase position.", "reduceOnlyRejected", "docs")
NO_MATCH = Refusal("Order could not immediately match against any resting orders.", "iocCancelRejected", "docs")
TOO_MANY = Refusal("Too many open orders.", "tooManyOpenOrdersRejected", "ours")
NOT_OPEN = Refusal("Order was never placed, already canceled, or filled.", "rejected", "docs")
CANNOT_MODIFY = Refusal("Cannot modify canceled or filled order", "rejected", "probe")
POST_ONLY_PERIOD = Refusal(
    "Only post-only orders allowed immediately after a network upgrade", "rejected", "client"
)  # 2026's wording leaves the "a" out
HALTED = Refusal("Trading is halted.", "rejected", "ours")
OI_CAPPED = Refusal(
    "Order would increase open interest while open interest is capped",
    "positionIncreaseAtOpenInterestCapRejected",
    "docs",
)
OI_CAPPED_FLIP = Refusal(OI_CAPPED.text, "positionFlipAtOpenInterestCapRejected", "docs")
OVER_TIER = Refusal(
    "Order would cause position to exceed margin tier limit at current leverage", "perpMaxPositionRejected", "docs"
)


def alo(bid: str, ask: str) -> Refusal:
    """A post-only order that would have matched, with the touch it met."""
    text = f"Post only order would have immediately matched, bbo was {bid}@{ask}."
    return Refusal(text, "badAloPxRejected", "docs")


MODIFY_FAILED = "Error placing new order during modify: "
"""Goes before the text of a single `modify` whose old order is gone and whose new one was refused (client)."""

# ---------------------------------------------------------------------- who asks
UNREADABLE = "Failed to deserialize the JSON body into the target type"
NO_SUCH_SIGNER = Words("unknown_signer", "User or API Wallet {user} does not exist.", "client")
NOT_DEPOSITED = Words("not_deposited", "Must deposit before performing actions. User: {user}", "docs")
NO_VAULT = Words("vault", "Vault not registered: {vault}", "probe")
NONCE_USED = Words("nonce_duplicate", "Invalid nonce: duplicate nonce {nonce}", "client")
NONCE_LOW = Words("nonce_low", "Invalid nonce: nonce too low {nonce} < {least}", "probe")
NONCE_HIGH = Words("nonce_high", "Invalid nonce: nonce too high {nonce} > {most}", "probe")
NONCE_MISMATCH = Words("nonce_mismatch", "Nonce mismatch.", "probe")
EXPIRED = Words("expired", "Action already expired", "probe")

# ---------------------------------------------------------------------- limits
BUDGET_GONE = Words(
    "budget",
    "Too many cumulative requests sent ({used} > {cap}) for cumulative volume traded ${volume}. "
    "Place taker orders to free up 1 request per USDC traded.",
    "client",
)
DAY_BUDGET_GONE = Words("day_budget", "Too many user actions today ({used} > {cap}).", "ours")
NO_ORDERS = Words("no_orders", "Orders are empty.", "probe")
NO_BUILDER = Words("builder", "Builder fee has not been approved.", "client")
NO_ASSET = Words("asset", "Invalid perp asset {asset}", "ours")

# ---------------------------------------------------------------------- agents
AGENT_USED = Words("agent_used", "Extra agent already used.", "probe")
AGENTS_FULL = Words(
    "agents_full", "Too many extra agents for cumulative volume traded. Current limit is {cap}", "probe"
)  # fmt: skip
AGENT_NAME = Words("agent_name", "Extra agent name must be between 1 and 16 characters long", "client")
AGENT_EXPIRY = Words("agent_expiry", "Agent valid_until already expired.", "probe")
AGENT_LEAVING = Words("agent_leaving", "User has pending agent removal", "client")

# ---------------------------------------------------------------------- dead man's switch
SCHEDULE_VOLUME = Words(
    "schedule_volume",
    "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: ${traded}.",
    "client",
)
SCHEDULE_EARLY = Words(
    "schedule_early", "Scheduled cancel time too early, must be at least 5 seconds from now.", "client"
)  # fmt: skip
SCHEDULE_USED_UP = Words("schedule_used_up", "Too many scheduled cancels triggered today ({fired} of {cap}).", "ours")

# ---------------------------------------------------------------------- leverage and isolated margin
BAD_LEVERAGE = Words("leverage", "Invalid leverage value", "client")
NO_CROSS = Words("no_cross", "Cross margin is not allowed for this asset.", "client")
LEVERAGE_TYPE = Words("leverage_type", "Cannot switch leverage type with open position.", "client")
CROSS_LEVERAGE_MARGIN = Words(
    "leverage_margin",
    "Cross position does not have sufficient margin available to decrease leverage. "
    "To decrease leverage, deposit more collateral.",
    "node",
)
ISOLATED_LEVERAGE_MARGIN = Words(
    "leverage_margin",
    "Isolated position does not have sufficient margin available to decrease leverage. "
    "To decrease leverage, add margin to the position.",
    "client",
)
ISOLATED_ZERO = Words("isolated_zero", "Update to isolated margin cannot be zero.", "node")
ISOLATED_EMPTY = Words("isolated_empty", "Cannot update margin for empty position.", "node")
NOT_ISOLATED = Words("not_isolated", "Position does not use isolated margin.", "probe")
ISOLATED_STRICT = Words(
    "isolated_strict",
    "Cannot remove isolated margin for this asset. To remove margin, reduce the position.",
    "node",
)
NOT_STRICT = Words("not_strict", "Asset not strict isolated", "node")
ISOLATED_INCREASE = Words(
    "isolated_increase", "Account does not have sufficient margin available for increase.", "client"
)  # fmt: skip
ISOLATED_DECREASE = Words("isolated_decrease", "Position does not have sufficient margin for reduction.", "client")

# ---------------------------------------------------------------------- purchases and account modes
RESERVE_MARGIN = Words("reserve_margin", "Insufficient margin to reserve request weight.", "ours")
RESERVE_ZERO = Words("reserve_zero", "Request weight to reserve must be positive.", "ours")
NOT_OWN_MODE = Words("mode", "Invalid abstraction user: {user}", "ours")


def order_refusals() -> dict[str, Refusal]:
    """All refusals of one order, by name."""
    return {name: value for name, value in globals().items() if isinstance(value, Refusal)}


def action_refusals() -> dict[str, Words]:
    """All refusals of a whole action, by name."""
    return {name: value for name, value in globals().items() if isinstance(value, Words)}
