"""The tree of failures: ours, theirs, and the ones nobody knows yet.

AmmError
|- OurFault            a bug or a broken promise of ours: halt quoting, exit 1
|  `- LateCompile      a kernel was compiled after the service said it was ready
|- ConfigError         the person's configuration: exit 78 before any socket opens
|- Refused             not now, by rule (gate, latch, market life cycle): exit 75
`- TheirFault          venue, network, Redis: expected, handled by name, counted
   |- BadInput         a message that breaks its contract; `reason` is the metric's label
   |- VenueError       the venue answered and said no
   |- LinkDown         no answer could be had: nothing was sent or the peer is away
   `- UnknownOutcome   something was sent and no answer came: counts as exposure until the venue is asked
"""

EXIT_OK = 0
EXIT_FAULT = 1
EXIT_REFUSED = 75
EXIT_CONFIG = 78


class AmmError(Exception):
    """Root of every failure this project raises on purpose."""


class OurFault(AmmError):
    """A broken promise of our own code; never caught to go on trading."""


class LateCompile(OurFault):
    """A kernel had to be compiled after its service was ready."""


class ConfigError(AmmError):
    """A configuration value that cannot be used; the text names key, value and allowed range, never a secret."""


class Refused(AmmError):
    """A start or command that a rule refuses for now."""


class TheirFault(AmmError):
    """Anything outside this process that did not keep its contract."""


class BadInput(TheirFault):
    """A message refused at a boundary.

    `reason` is a short fixed word (`not_json`, `crossed`, ...) fit for a metric label; `detail` is for the log.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class VenueError(TheirFault):
    """The venue answered and refused; `args[0]` is its own text."""


class LinkDown(TheirFault):
    """The peer could not be reached, so nothing happened there."""


class UnknownOutcome(TheirFault):
    """A request left this process and no trustworthy answer came back."""
