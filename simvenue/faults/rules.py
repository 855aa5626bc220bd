"""What may go wrong on purpose, as people write it: a JSON plan of rules, strictly decoded (`--faults`, `/sim/faults`).

    {"seed": 7, "rules": [
        {"do": "drop", "channel": "bbo", "coin": "BTC", "probability": 0.1, "from_s": 10, "until_s": 60},
        {"do": "lose_reply", "action": "order", "limit": 3},
        {"do": "maintenance", "from_s": 120, "until_s": 150}]}

Decides which rules exist, what each may say and what it concerns; when one strikes is `faults.py`'s. Times are machine
seconds since the plan was given: a network does not fail faster because a market is played faster.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from common.errors import BadInput

RULES_MAX = 64
DETAIL_MAX = 300

Share: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0.0, le=86_400.0)]
Wait: TypeAlias = Annotated[float, Meta(ge=0.0, le=600.0)]
Name: TypeAlias = Annotated[str, Meta(pattern=r"^([A-Za-z0-9]{1,40}|\*)\Z")]
Coin: TypeAlias = Annotated[str, Meta(pattern=r"^([a-z0-9]{1,8}:)?[A-Za-z0-9]{1,16}\Z")]
Address: TypeAlias = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{40}\Z")]
Status: TypeAlias = Literal[200, 403, 404, 408, 422, 429, 500, 502, 503, 504]


class Rule(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", kw_only=True, omit_defaults=True):
    """When a rule is awake; `until_s` None = for good."""

    from_s: Seconds = 0.0
    until_s: Seconds | None = None


class Chancy(Rule, frozen=True, kw_only=True):
    """A rule that strikes what it concerns with `probability`, at most `limit` times."""

    probability: Share = 1.0
    limit: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    address: Address | None = None
    """Requests of this account, or connections that follow it (lower case)."""


class OfFrames(Chancy, frozen=True, kw_only=True):
    """Concerns WebSocket frames on their way to a client, by channel ("*" = any) and coin."""

    channel: Name
    coin: Coin | None = None


class OfRequests(Chancy, frozen=True, kw_only=True):
    """Concerns requests, over HTTP or as a `post`: exchange actions or info questions by type ("*" = any)."""

    action: Name | None = None
    info: Name | None = None


class OfAny(OfRequests, frozen=True, kw_only=True):
    """Concerns frames or requests, whichever is named."""

    channel: Name | None = None
    coin: Coin | None = None


# ---------------------------------------------------------------------- messages
class Drop(OfAny, frozen=True, tag="drop", kw_only=True):
    """A frame never arrives; a request is lost before the venue has seen it, its connection ends without an answer."""


class Delay(OfAny, frozen=True, tag="delay", kw_only=True):
    """Later by a random time in `delay_s`; frames behind it on its connection wait too, requests do not."""

    delay_s: tuple[Wait, Wait]


class Duplicate(OfAny, frozen=True, tag="duplicate", kw_only=True):
    """Arrives twice; of a request, the first answer counts."""


class Reorder(OfAny, frozen=True, tag="reorder", kw_only=True):
    """Held back until `by` later ones have passed, or a second has (frames: of its connection)."""

    by: Annotated[int, Meta(ge=1, le=100)] = 1


# ---------------------------------------------------------------------- requests
class LoseReply(OfRequests, frozen=True, tag="lose_reply", kw_only=True):
    """Carried out, never answered: the connection ends after `hang_s`."""

    hang_s: Wait = 0.0


class Answer(OfRequests, frozen=True, tag="answer", kw_only=True):
    """Something else is answered: this status, as a page of HTML or as the venue does (429: `null`).

    `after` = the request is carried out all the same. `connect` concerns the opening of a WebSocket instead.
    """

    status: Status
    html: bool = False
    after: bool = False
    connect: bool = False


# ---------------------------------------------------------------------- connections
class Disconnect(OfFrames, frozen=True, tag="disconnect", kw_only=True):
    """The connection is cut in place of the frame."""


class Silence(OfFrames, frozen=True, tag="silence", kw_only=True):
    """From this frame on nothing is sent for `for_s`, not even pongs; the socket stays open and goes on listening."""

    for_s: Annotated[float, Meta(gt=0.0, le=86_400.0)]


# ---------------------------------------------------------------------- the whole venue
class Maintenance(Rule, frozen=True, tag="maintenance", kw_only=True):
    """Every request and connection is refused with a page; open connections are cut at their next frame.

    The market goes on behind it: resting orders may fill while nobody can reach the venue. For `post_only_s` after its
    end the venue takes post-only orders alone, as after a network upgrade.
    """

    status: Status = 503
    post_only_s: Wait = 0.0


class ClockOffset(Rule, frozen=True, tag="clock_offset", kw_only=True):
    """`GET /sim/clock` is wrong by `offset_s`: who keeps market time by it is ahead of the venue (> 0) or behind."""

    offset_s: Annotated[float, Meta(ge=-3600.0, le=3600.0)]


AnyRule: TypeAlias = (
    Drop | Delay | Duplicate | Reorder | LoseReply | Answer | Disconnect | Silence | Maintenance | ClockOffset
)


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """Rules in the order they are asked; the seed decides all chances."""

    seed: Annotated[int, Meta(ge=0, le=2**53)] = 0
    rules: Annotated[tuple[AnyRule, ...], Meta(max_length=RULES_MAX)] = ()


_PLAN = msgspec.json.Decoder(Plan)


def decode(body: bytes) -> Plan:
    """Raises BadInput; its detail is one sentence that names the rule and what is wrong."""
    try:
        plan = _PLAN.decode(body)
    except msgspec.ValidationError as error:
        raise BadInput("fault_shape", str(error)[:DETAIL_MAX]) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadInput("fault_not_json", str(error)[:DETAIL_MAX]) from None
    for number, rule in enumerate(plan.rules):
        reason, detail = _contradiction(rule)
        if reason:
            raise BadInput(reason, f"rules[{number}] ({name(rule)}): {detail}")
    return plan


def name(rule: AnyRule) -> str:
    """The rule's `do`."""
    return str(rule.__struct_config__.tag)


def _contradiction(rule: AnyRule) -> tuple[str, str]:
    """What a rule's fields say against each other, ("", "") when nothing."""
    if rule.until_s is not None and rule.until_s <= rule.from_s:
        return "fault_window", f"until_s = {rule.until_s:g} must be above from_s = {rule.from_s:g}"
    if isinstance(rule, Delay) and rule.delay_s[0] > rule.delay_s[1]:
        return "fault_delay", f"delay_s = [{rule.delay_s[0]:g}, {rule.delay_s[1]:g}]: the first must not be the greater"
    choice = {"channel", "action", "info", "connect"} & set(rule.__struct_fields__)
    named = [field for field in sorted(choice) if getattr(rule, field)]
    if choice and len(named) != 1:
        return "fault_subject", f"name exactly one of {', '.join(sorted(choice))}"
    if getattr(rule, "coin", None) is not None and named != ["channel"]:
        return "fault_subject", "coin belongs to channel"
    if isinstance(rule, Answer):
        return _answer(rule)
    return "", ""


def _answer(rule: Answer) -> tuple[str, str]:
    if rule.status == 200 and not rule.html:
        return "fault_answer", "status 200 needs html: true"
    if rule.connect and rule.after:
        return "fault_answer", "after belongs to action or info"
    if rule.connect and rule.address is not None:
        return "fault_answer", "nobody is known by address before he has connected"
    return "", ""
