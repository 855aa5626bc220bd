"""Every committed file that this package makes, by its path."""

from __future__ import annotations

from pathlib import Path

from boards import alerting, prometheus
from boards.build import to_json
from boards.cases import documents
from boards.dashboards import BOARDS
from boards.text import to_yaml
from common.kernel import ROOT

PROVISIONING = Path("grafana/provisioning")


def made() -> dict[Path, str]:
    """Path from the project's root -> what must stand in it."""
    yaml = {
        Path("prometheus/prometheus.yml"): prometheus.configuration(),
        Path("prometheus/rules.yml"): prometheus.rules(),
        PROVISIONING / "datasources/prometheus.yml": alerting.datasource(),
        PROVISIONING / "dashboards/amm.yml": alerting.provider(),
        PROVISIONING / "alerting/rules.yml": alerting.rules(),
        PROVISIONING / "alerting/contact-points.yml": alerting.contact_points(),
        PROVISIONING / "alerting/policies.yml": alerting.policies(),
        PROVISIONING / "alerting/templates.yml": alerting.templates(),
        PROVISIONING / "alerting/mute-timings.yml": alerting.mute_timings(),
    }
    yaml |= {Path("prometheus/tests") / f"{name}.yml": document for name, document in documents().items()}
    boards = {Path("grafana/dashboards") / f"{board.uid}.json": to_json(board) for board in BOARDS}
    return {path: to_yaml(data) for path, data in yaml.items()} | boards


def kept() -> set[Path]:
    """The files that are there now, in the folders that this package owns."""
    found = (path for folder in ("grafana", "prometheus") for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT) for path in found}


def write() -> list[Path]:
    """Make all files anew, and remove what is no longer made; returns what changed."""
    files = made()
    changed = [path for path, text in files.items() if not _same(ROOT / path, text)]
    for path in changed:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(files[path], encoding="utf-8")
    gone = sorted(kept() - set(files))
    for path in gone:
        (ROOT / path).unlink()
    return [*changed, *gone]


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
