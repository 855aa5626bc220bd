"""Random numbers for kernels: the published generator, and the distributions made of it."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from common.kernel import istate
from simvenue.synthetic.chance import WORDS, new_chance, normal, uniform, waiting

N = 20_000


def test_it_is_the_published_generator() -> None:
    """MRG32k3a from six seeds of 12345: the first numbers of L'Ecuyer's own programs."""
    chance = istate(WORDS)
    chance[:] = [12_345] * WORDS
    assert [round(uniform(chance), 6) for _ in range(4)] == [0.127011, 0.318528, 0.309186, 0.825847]


def test_a_name_is_a_stream() -> None:
    first, again, other = (new_chance(name) for name in ("a 1", "a 1", "a 2"))
    assert [uniform(first) for _ in range(5)] == [uniform(again) for _ in range(5)]
    assert uniform(other) != uniform(new_chance("a 1"))


def test_uniform_numbers_fill_the_unit_interval() -> None:
    chance = new_chance("uniform")
    drawn = [uniform(chance) for _ in range(N)]
    assert 0.0 < min(drawn) < max(drawn) < 1.0
    assert fmean(drawn) == pytest.approx(0.5, abs=4 / math.sqrt(12 * N))
    assert fmean(a * b for a, b in pairwise(drawn)) == pytest.approx(0.25, abs=0.006)


def test_normal_numbers_have_normal_moments_and_tails() -> None:
    chance = new_chance("normal")
    drawn = [normal(chance) for _ in range(N)]
    assert fmean(drawn) == pytest.approx(0.0, abs=4 / math.sqrt(N))
    assert pstdev(drawn) == pytest.approx(1.0, abs=0.02)
    assert fmean(x**4 for x in drawn) == pytest.approx(3.0, abs=0.3)
    assert sum(abs(x) > 2.5 for x in drawn) / N == pytest.approx(0.01242, abs=0.003)


def test_waiting_times_are_exponential() -> None:
    chance = new_chance("waiting")
    drawn = [waiting(chance) for _ in range(N)]
    assert fmean(drawn) == pytest.approx(1.0, abs=0.03)
    assert sum(x > 3 for x in drawn) / N == pytest.approx(math.exp(-3), abs=0.006)
