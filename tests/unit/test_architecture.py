"""Our own source, read as data: who may import whom, and what the deciding rooms may never touch.

Arrows: services never import each other; all import `common`, which imports none of them.  A *core* is a package's
`engine.py` or `exchange.py` and every room of its package that one imports, directly or not: no clock, socket,
environment, thread or unseeded random in there, time arrives as data.
"""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect
from prometheus_client import Counter, Gauge, Histogram

from common.kernel import ROOT
from common.messages import Envelope
from common.metrics import METRICS

SERVICES = ("feed", "quoter", "executor", "riskd", "monitor")
PACKAGES = ("common", *SERVICES, "simvenue", "backtest")
TOOLS = ("scripts", "boards")
"""Run beside the services, never in them; each may know the services, no service knows them."""

OURS = (*PACKAGES, *TOOLS, "tests")
CORE_ROOMS = ("engine", "exchange")
LOADERS = {
    "quoter.card_file", "quoter.fit", "quoter.rows", "quoter.samples", "simvenue.recorded.captured",
    "simvenue.recorded.playback", "simvenue.recorded.recording", "simvenue.door.latency_table",
}  # fmt: skip
"""Rooms that read recordings, measured latencies and fitted forecasts for research: no shells, but no cores either."""

NOT_IN_CORES = {
    "asyncio", "aiohttp", "concurrent", "ctypes", "getpass", "http", "io", "multiprocessing", "os", "pathlib",
    "platform", "redis", "resource", "secrets", "select", "selectors", "signal", "socket", "sqlite3", "ssl",
    "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "uvloop", "websockets",
}  # fmt: skip
SHELL_ROOMS_OF_COMMON = {
    "common.bus", "common.bus_core", "common.bus_group", "common.bus_memory", "common.bus_reader", "common.bus_writer",
    "common.build", "common.core_speed", "common.cpus", "common.exporter", "common.health", "common.hyperliquid",
    "common.process", "common.qos", "common.redis_server", "common.simclock", "common.usage", "common.warm",
}  # fmt: skip
CLOCKS = {f"common.clock.{name}" for name in ("MarketClock", "mono_ns", "wall_ns", "wall_ms")}
EVENTS_OF_SERVICE = {"common.service.Link", "common.service.Replayed", "common.service.BatchEnd"}
WALL_CLOCK_CALLS = {"now", "utcnow", "today", "fromtimestamp"}
ENVIRONMENT = {"environ", "environb", "getenv", "putenv"}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def files(package: str) -> tuple[Path, ...]:
    return tuple(p for p in sorted((ROOT / package).rglob("*.py")) if "__pycache__" not in p.parts)


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@functools.cache
def imports(path: Path) -> frozenset[str]:
    """Every dotted name a file imports, `from a import b` as `a.b` (and `a`)."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module(path)}: relative import"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def importers(name: str, packages: tuple[str, ...] = PACKAGES) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for p in packages for path in files(p) if name in tops(path)}


@functools.cache
def needed(path: Path) -> frozenset[Path]:
    """A room and every room of its package that it imports, directly or not."""
    found, todo = {path}, [path]
    while todo:
        here = todo.pop()
        package = module(here).partition(".")[0]
        names = {n for n in imports(here) if n.startswith(f"{package}.")}
        rooms = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in names}
        todo += [room for room in rooms - found if room.exists()]
        found |= rooms
    return frozenset(room for room in found if room.exists())


def is_sans_io(path: Path) -> bool:
    """Neither the room nor what it needs of its package touches a clock, a socket, a file or a thread."""
    return not any(tops(room) & NOT_IN_CORES or imports(room) & CLOCKS for room in needed(path))


@functools.cache
def core_files() -> tuple[Path, ...]:
    """The deciding rooms of every package."""
    found: set[Path] = set()
    for package in PACKAGES:
        todo = [ROOT / package / f"{room}.py" for room in CORE_ROOMS]
        while todo:
            path = todo.pop()
            if path in found or not path.exists():
                continue
            found.add(path)
            names = {n for n in imports(path) if n.startswith(f"{package}.")}
            todo += [ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in names]
    return tuple(sorted(found))


def calls(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line, object, attribute) of every call of the form `object.attribute(...)`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            value = node.func.value
            yield node.lineno, value.id if isinstance(value, ast.Name) else "", node.func.attr


# ---------------------------------------------------------------------- arrows
@pytest.mark.parametrize("service", [*SERVICES, "simvenue"])
def test_service_imports_only_itself_and_common(service: str) -> None:
    others = set(OURS) - {service, "common"}
    found = {module(path): sorted(tops(path) & others) for path in files(service) if tops(path) & others}
    assert found == {}


def test_common_imports_no_service() -> None:
    assert {
        module(p): tops(p) & set(OURS) - {"common"} for p in files("common") if tops(p) & set(OURS) - {"common"}
    } == {}


def test_engine_is_imported_by_its_shell_and_not_the_other_way() -> None:
    shells = {f"{package}.{room}" for package in PACKAGES for room in ("main", "__main__", "ws", "transport", "venue")}
    shells -= {"simvenue.venue"}
    assert {module(path): imports(path) & shells for path in core_files() if imports(path) & shells} == {}


def test_backtest_imports_cores_and_no_shell() -> None:
    kernels = {module(path) for name in PACKAGES for path in files(name) if "@kernel(" in path.read_text("utf-8")}
    pure = {module(path) for name in (*SERVICES, "simvenue") for path in files(name) if is_sans_io(path)}
    allowed = {module(path) for path in core_files()} | kernels | LOADERS | pure
    for path in files("backtest"):
        names = {n for n in imports(path) if n.partition(".")[0] in (*SERVICES, "simvenue")}
        existing = {n for n in names if ROOT.joinpath(*n.split(".")).with_suffix(".py").exists()}
        assert existing <= allowed, module(path)


def test_boards_know_common_and_rooms_without_io_and_one_room_the_dashboard_library() -> None:
    pure = {module(path) for name in SERVICES for path in files(name) if is_sans_io(path)}
    for path in files("boards"):
        names = {
            n for n in imports(path) if n.partition(".")[0] in (*SERVICES, "simvenue", "backtest", "scripts", "tests")
        }
        existing = {n for n in names if ROOT.joinpath(*n.split(".")).with_suffix(".py").exists()}
        assert existing <= pure, module(path)
    assert importers("grafana_foundation_sdk", (*PACKAGES, *TOOLS)) == {"boards/build.py"}


def test_a_shell_is_not_taken_for_a_room_without_io() -> None:
    shells = ("feed/ws.py", "executor/desk.py", "executor/warden.py", "monitor/wallet.py", "simvenue/venue.py")
    assert [name for name in shells if is_sans_io(ROOT / name)] == []
    assert is_sans_io(ROOT / "executor/parse.py")


# ---------------------------------------------------------------------- cores
def test_there_is_a_core_to_look_at() -> None:
    rooms = {module(path) for path in core_files()}
    assert {f"{service}.engine" for service in SERVICES if (ROOT / service / "engine.py").exists()} <= rooms


def test_core_imports_no_clock_socket_environment_or_thread() -> None:
    assert {module(p): sorted(tops(p) & NOT_IN_CORES) for p in core_files() if tops(p) & NOT_IN_CORES} == {}


def test_core_takes_only_pure_rooms_of_common() -> None:
    bad: dict[str, set[str]] = {}
    for path in core_files():
        names = imports(path)
        found = names & (SHELL_ROOMS_OF_COMMON | CLOCKS)
        found |= {n for n in names if n.startswith("common.service.")} - EVENTS_OF_SERVICE
        found |= {n for n in names if n == "common.config.load"}
        if found:
            bad[module(path)] = found
    assert bad == {}


def test_core_reads_no_wall_clock_and_draws_only_from_a_seeded_generator() -> None:
    bad = []
    for path in core_files():
        for line, name, attribute in calls(path):
            if attribute in WALL_CLOCK_CALLS and name in ("datetime", "date"):
                bad.append(f"{module(path)}:{line} {name}.{attribute}")
            if name == "random" and attribute != "Random":
                bad.append(f"{module(path)}:{line} random.{attribute}")
        bad += [
            f"{module(path)}: {n}" for n in imports(path) if n.startswith("random.") and n not in ("random.Random",)
        ]
    assert bad == []


def test_core_has_no_coroutines_and_prints_nothing() -> None:
    bad = []
    for path in core_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)):
                bad.append(f"{module(path)}:{node.lineno}")
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("print", "open", "input")
            ):
                bad.append(f"{module(path)}:{node.lineno}")
    assert bad == []


# ---------------------------------------------------------------------- owners of a dependency
def test_redis_is_imported_in_one_file() -> None:
    assert importers("redis", (*PACKAGES, *TOOLS)) == {"common/bus.py"}


@pytest.mark.parametrize("name", ["hyperliquid", "eth_account", "eth_keys"])
def test_signing_library_stays_with_the_signers(name: str) -> None:
    assert importers(name, (*PACKAGES, *TOOLS)) <= {"executor/venue.py", "executor/warden.py"}


def test_torch_stays_with_the_volatility_model() -> None:
    assert importers("torch", (*PACKAGES, *TOOLS)) <= {"quoter/lstm.py", "quoter/train.py"}


def test_yahoo_is_known_in_one_room() -> None:
    assert importers("yfinance", (*PACKAGES, *TOOLS)) == {"backtest/data/yahoo.py"}


def test_numpy_is_reached_through_kernels_only() -> None:
    light = ("common", *SERVICES)
    research = {"quoter/fit.py", "quoter/rows.py", "quoter/samples.py"}
    assert importers("numpy", light) - research == {"common/kernel.py"}
    assert importers("numba", (*light, "simvenue")) == {"common/kernel.py"}
    assert not {module(path) for path in core_files()} & {"quoter.fit", "quoter.rows", "quoter.samples"}
    cores = {path.relative_to(ROOT).as_posix() for path in core_files()}
    assert importers("numpy", ("simvenue",)) & cores == set()


def test_environment_is_read_in_one_place() -> None:
    found = set()
    for package in PACKAGES:
        for path in files(package):
            for node in ast.walk(tree(path)):
                if isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT:
                    found.add(path.relative_to(ROOT).as_posix())
            if imports(path) & {f"os.{name}" for name in ENVIRONMENT}:
                found.add(path.relative_to(ROOT).as_posix())
    assert found == {"common/config.py", "common/kernel.py"}


# ---------------------------------------------------------------------- names
def test_no_package_of_ours_shadows_the_standard_library_or_a_distribution() -> None:
    foreign = {
        name for name, owners in importlib.metadata.packages_distributions().items() if set(owners) - {"amm-500"}
    }
    ours = {p.name for p in ROOT.iterdir() if p.is_dir() and (p / "__init__.py").exists()} | set(PACKAGES)
    assert ours & (foreign | sys.stdlib_module_names) == set()


def test_no_room_is_named_like_a_module_of_the_standard_library() -> None:
    assert [
        module(p) for name in PACKAGES for p in files(name) if p.stem in sys.stdlib_module_names - {"__main__"}
    ] == []


def test_every_room_has_a_sign_on_its_door() -> None:
    rooms = [p for name in (*PACKAGES, *TOOLS) for p in files(name) if p.read_text(encoding="utf-8").strip()]
    assert [module(p) for p in rooms if ast.get_docstring(tree(p)) is None] == []


# ---------------------------------------------------------------------- metrics
def test_metrics_are_used_by_the_names_and_labels_of_their_table() -> None:
    kinds = {"set": Gauge, "count": Counter, "observe": Histogram}
    bad = []
    for path in (p for package in PACKAGES for p in files(package)):
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner, first = node.func.value, node.args[0] if node.args else None
            if not (isinstance(owner, ast.Name) and owner.id == "metrics" and node.func.attr in kinds):
                continue
            if isinstance(first, ast.Constant):
                spec, where = METRICS.get(str(first.value)), f"{module(path)}:{node.lineno} {first.value}"
                labels = {keyword.arg for keyword in node.keywords}
                if (
                    spec is None
                    or spec.kind is not kinds[node.func.attr]
                    or not ({None} & labels or labels == set(spec.labels))
                ):
                    bad.append(where)
    assert bad == []


# ---------------------------------------------------------------------- messages
def _leaves(kind: inspect.Type, where: str, seen: set[type]) -> Iterator[tuple[str, inspect.Type]]:
    """Every field type under `kind`, by its path."""
    match kind:
        case inspect.StructType():
            if kind.cls in seen:
                return
            seen.add(kind.cls)
            for field in kind.fields:
                yield from _leaves(field.type, f"{kind.cls.__name__}.{field.encode_name}", seen)
        case inspect.UnionType():
            for each in kind.types:
                yield from _leaves(each, where, seen)
        case inspect.ListType():
            yield where, kind
            yield from _leaves(kind.item_type, where + "[]", seen)
        case inspect.TupleType():
            for each in kind.item_types:
                yield from _leaves(each, where + "[]", seen)
        case _:
            yield where, kind


def _unbounded(kind: inspect.Type) -> bool:
    match kind:
        case inspect.FloatType() | inspect.IntType():
            return (kind.ge is None and kind.gt is None) or (kind.le is None and kind.lt is None)
        case inspect.StrType() | inspect.ListType():
            return kind.max_length is None
    return False


def test_every_number_text_and_list_of_a_message_has_a_range() -> None:
    leaves = list(_leaves(inspect.type_info(Envelope), "Envelope", set()))
    assert len(leaves) > 100
    assert [where for where, kind in leaves if _unbounded(kind)] == []


def test_an_unbounded_float_would_be_found() -> None:
    class Careless(msgspec.Struct):
        ratio: float

    assert [w for w, kind in _leaves(inspect.type_info(Careless), "", set()) if _unbounded(kind)] == ["Careless.ratio"]
