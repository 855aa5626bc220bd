"""Measurements, as ratios in one run: `make bench` writes `reports/bench.json`. Nothing here is asserted by the tests."""
