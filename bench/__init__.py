"""Measurements, as ratios in one run: `make bench` writes `reports/bench.json`; the tests assert none of it."""
