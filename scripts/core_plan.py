"""Which CPUs the quoter gets and which are left to the other services; pure, with the reasons in words.

The quoter decides on one thread, so it gets one whole physical core (two where there are plenty): the fastest, and
never the one with CPU 0, where interrupts arrive, while another is as fast.  A core is given with all its hardware
threads, because a neighbour on the sibling thread would take half of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.cpus import Host, format_list, parse_list
from common.errors import ConfigError

PLENTY_FAST, PLENTY = 4, 6
"""From so many performance cores and cores in all on, the quoter gets a second core."""

PLATFORMS = {"arm64": "linux/arm64", "aarch64": "linux/arm64", "x86_64": "linux/amd64", "amd64": "linux/amd64"}


@dataclass(frozen=True)
class Plan:
    """CPU numbers as the container engine counts them; `reasons` in the order of the decisions."""

    quoter: frozenset[int]
    others: frozenset[int]
    reasons: tuple[str, ...]

    def lines(self, platform: str) -> str:
        """KEY=VALUE lines for compose."""
        return (
            f"QUOTER_PLATFORM={platform}\nQUOTER_CPUSET={format_list(self.quoter)}\n"
            f"OTHERS_CPUSET={format_list(self.others)}\n"
        )


def platform_of(machine: str) -> str:
    """The images' platform for an architecture as `uname -m` says it; raises ConfigError for one we do not build."""
    platform = PLATFORMS.get(machine.lower())
    if platform is None:
        raise ConfigError(f"no image for the architecture {machine[:40]!r}: there are linux/arm64 and linux/amd64")
    return platform


def plan_cores(host: Host, cores: int = 0) -> Plan:
    """`cores`: whole cores the quoter is to have, 0 = by the rule above. Disjoint from two physical cores on."""
    groups = physical_cores(host, host.allowed)
    reasons = [_kinds_in_words(host), *_limits_in_words(host, groups)]
    if len(groups) == 1:
        return Plan(host.allowed, host.allowed, (*reasons, "one physical core: the quoter shares it with all others"))
    fast = [group for group in groups if group & host.fast]
    if not fast:
        reasons.append("no performance core is among them")
    pool = sorted(fast or groups, key=lambda group: (-_fastest(host, group), 0 in group, min(group)))
    by_rule = 2 if len(fast) >= PLENTY_FAST and len(groups) >= PLENTY else 1
    taken = pool[: min(cores or by_rule, len(groups) - 1)]
    quoter = frozenset[int]().union(*taken)
    others = host.allowed - quoter
    reasons.append(f"the quoter gets {_counted(len(taken), 'whole core')}, CPU {format_list(quoter)}")
    reasons.append(f"the other services keep to CPU {format_list(others)}")
    return Plan(quoter, others, tuple(reasons))


def asked_for(host: Host, plan: Plan, quoter: str, others: str) -> Plan:
    """The plan with what a person set instead ("" = nothing); raises ConfigError for CPUs that cannot be used."""
    if not quoter and not others:
        return plan
    mine = _asked("QUOTER_CPUSET", quoter, host) if quoter else plan.quoter
    siblings = frozenset[int]().union(*(group for group in physical_cores(host, host.allowed) if group & mine))
    rest = _asked("OTHERS_CPUSET", others, host) if others else (host.allowed - siblings) or (host.allowed - mine)
    said = f"asked for: CPU {format_list(mine)} for the quoter, {format_list(rest or host.allowed)} for the others"
    return Plan(mine, rest or host.allowed, (*plan.reasons, said))


def physical_cores(host: Host, cpus: frozenset[int]) -> list[frozenset[int]]:
    """These CPUs by the core they sit on, in order."""
    groups: dict[int, set[int]] = {}
    for cpu in host.cpus:
        if cpu.number in cpus:
            groups.setdefault(cpu.core, set()).add(cpu.number)
    return [frozenset(groups[core]) for core in sorted(groups)]


def _asked(name: str, text: str, host: Host) -> frozenset[int]:
    try:
        cpus = parse_list(text)
    except ValueError as error:
        raise ConfigError(f"{name} = {text[:40]!r}: {error}") from None
    if not cpus or not cpus <= host.allowed:
        raise ConfigError(f"{name} = {text[:40]!r}: allowed are CPUs out of {format_list(host.allowed)}")
    return cpus


def _fastest(host: Host, group: Iterable[int]) -> int:
    return max(host.speed((number,)) for number in group)


def _kinds_in_words(host: Host) -> str:
    if host.is_alike:
        known = "all are alike, as far as the kernel tells" if host.speed(host.online) else "of unknown kinds"
        return f"{_counted(len(host.online), 'CPU')} ({format_list(host.online)}), {known}"
    slow = format_list(host.online - host.fast)
    return f"performance CPUs {format_list(host.fast)}, slower ones {slow}, told apart by {host.told_by}"


def _limits_in_words(host: Host, groups: list[frozenset[int]]) -> Iterable[str]:
    threads = len(host.allowed)
    if threads > len(groups):
        yield f"{threads} CPUs on {_counted(len(groups), 'physical core')}: cores are given whole"
    if host.allowed != host.online:
        yield f"only CPU {format_list(host.allowed)} may be used here (affinity or cpuset)"
    if host.quota:
        yield f"a quota grants {host.quota:g} CPUs' worth of time"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
