"""What a process says of itself: processor time only rises, memory is in bytes, and what is not known is left out."""

from __future__ import annotations

import resource
from pathlib import Path

import aiohttp

from common import metrics, usage
from common.exporter import Exporter


def test_processor_time_only_rises() -> None:
    usage.show()
    before = metrics.value("amm_process_cpu_seconds_total")
    assert before > 0
    usage.show()
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert before <= metrics.value("amm_process_cpu_seconds_total") <= used.ru_utime + used.ru_stime


def test_memory_in_ram_is_pages_of_the_second_field(tmp_path: Path) -> None:
    statm = tmp_path / "statm"
    statm.write_text("5000 1000 300 7 0 900 0\n")
    usage.show(statm)
    assert metrics.value("amm_process_resident_bytes") == 1000 * resource.getpagesize()


def test_without_proc_only_the_peak_is_told(tmp_path: Path) -> None:
    metrics.set("amm_process_resident_bytes", 7.0)
    usage.show(tmp_path / "no such file")
    assert metrics.value("amm_process_resident_bytes") == 7.0
    assert metrics.value("amm_process_resident_peak_bytes") > 10e6, "an interpreter alone takes more than 10 MB"


async def test_every_page_of_metrics_has_what_the_process_uses_now() -> None:
    exporter = Exporter("127.0.0.1", 0, dict)
    await exporter.start()
    try:
        async with aiohttp.ClientSession() as http:
            reply = await http.get(f"http://127.0.0.1:{exporter.port}/metrics")
            text = await reply.text()
    finally:
        await exporter.stop()
    assert "amm_process_cpu_seconds_total " in text
    assert "amm_process_resident_peak_bytes " in text
