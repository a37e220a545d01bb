"""Intervals of ΔI: they cover what they promise, also with hardly more patients than units."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.lens.estimator.heads import fit_head
from deepradiomics.lens.estimator.intervals import bootstrap_intervals, corrected_residuals, noise_share
from deepradiomics.lens.estimator.projection import project


class Simulation:
    """SYNTHETIC cohorts of one world: a fixed shared layer; two stages carry six attributes; radiomics with noise."""

    def __init__(self, n: int, h: int, *, K: int = 30, d: int = 30, signal: float = 2.0, heavy: bool = False) -> None:
        self.n, self.K, self.d, self.signal, self.heavy = n, K, d, signal, heavy
        self.generator = np.random.default_rng([n, h])
        self.mixing = self.generator.normal(size=(6, d)) / np.sqrt(6)
        self.to_radiomics = self.generator.normal(size=(6, K)) / np.sqrt(6)
        self.weights = (self.generator.normal(size=(h, d)) / np.sqrt(d)).astype(np.float32)
        self.bias = (0.3 * self.generator.normal(size=h)).astype(np.float32)

    def noise(self, *shape: int):
        if self.heavy:
            return self.generator.standard_t(4, size=shape) / np.sqrt(2)
        return self.generator.normal(size=shape)

    def fitted(self):
        """Heads, residuals of one new cohort."""
        hidden = self.noise(self.n, 6)
        spread = 0.5 + np.abs(hidden[:, :1]) if self.heavy else 1.0  # patients whose radiomics are noisier
        Y = self.signal * np.tanh(hidden @ self.to_radiomics) + spread * self.noise(self.n, self.K)
        Y /= np.sqrt(1 + 0.4 * self.signal**2)
        gain = np.array([1, 1, 1, 0.5, 0.5, 0.5])
        X = [
            np.tanh((hidden * by) @ self.mixing) + 0.3 * self.generator.normal(size=(self.n, self.d))
            for by in (1, gain)
        ]
        Z = [project(rows, self.weights, self.bias) for rows in X]
        heads = tuple(fit_head(rows, Y) for rows in Z)
        return heads, tuple(corrected_residuals(head, rows, Y) for head, rows in zip(heads, Z, strict=True))

    def delta(self, heads, reading="importance"):
        return getattr(heads[1], reading) - getattr(heads[0], reading)

    def coverage(self, cohorts: int, intervals: int, samples: int = 200) -> dict[str, tuple[float, float]]:
        """For ΔI and ΔE: share of intervals that hold the mean of many cohorts, and mean width over ±1.96 SD."""
        heads = [self.fitted()[0] for _ in range(cohorts)]
        spreads = []
        for number in range(intervals):
            own, residuals = self.fitted()
            spreads.append(bootstrap_intervals(own, residuals, np.arange(self.n), samples, number))
        found = {}
        for reading, low, high in (("importance", "low", "high"), ("explained", "explained_low", "explained_high")):
            deltas = np.array([self.delta(pair, reading) for pair in heads])
            truth, ideal = deltas.mean(0), 2 * 1.96 * deltas.std(0)
            ends = [(getattr(one, low), getattr(one, high)) for one in spreads]
            held = np.mean([(a <= truth) & (truth <= b) for a, b in ends])
            found[reading] = (float(held), float(np.mean([(b - a) / ideal for a, b in ends])))
        return found


@pytest.mark.parametrize(("n", "h"), [(150, 10), (150, 60)])
def test_intervals_hold_the_expected_shift_in_19_of_20_cohorts(n: int, h: int):
    found = Simulation(n, h).coverage(80, 25, 120)
    assert 0.92 <= found["importance"][0] <= 0.99
    assert 0.85 <= found["importance"][1] <= 1.25
    assert found["explained"][0] >= 0.92
    assert 0.85 <= found["explained"][1] <= 1.5


@pytest.mark.slow
@pytest.mark.parametrize(("n", "h"), [(200, 16), (200, 64), (200, 120), (500, 200)])
@pytest.mark.parametrize(("signal", "heavy"), [(0.5, False), (2.0, False), (2.0, True)])
def test_coverage_is_kept_for_few_and_many_units_weak_signals_and_heavy_tails(
    n: int, h: int, signal: float, heavy: bool
):
    found = Simulation(n, h, d=60, signal=signal, heavy=heavy).coverage(150, 60)
    for reading, (covered, width) in found.items():
        print(f"{reading} n={n} h={h} signal={signal} heavy={heavy}: coverage {covered:.3f}, width {width:.2f}")
        assert 0.93 <= covered <= (0.995 if reading == "importance" else 1.0)
        assert 0.85 <= width <= (1.3 if reading == "importance" else 1.6)


def test_the_interval_holds_the_estimate_and_equal_seeds_repeat_it():
    simulation = Simulation(100, 20)
    heads, residuals = simulation.fitted()
    one, two = (bootstrap_intervals(heads, residuals, np.arange(100), 50, 7) for _ in range(2))
    assert np.array_equal(one.low, two.low)
    assert np.array_equal(one.high, two.high)
    delta = simulation.delta(heads)
    assert (one.low <= delta).all()
    assert (delta <= one.high).all()
    assert (one.low < one.high).all()
    explained = simulation.delta(heads, "explained")
    assert (one.explained_low <= explained).all()
    assert (explained <= one.explained_high).all()
    assert np.array_equal(one.explained_low, two.explained_low)


def test_scans_counted_twice_do_not_narrow_the_interval_when_their_patient_is_named():
    generator = np.random.default_rng(5)
    Z = generator.normal(size=(400, 5))
    Y = Z @ generator.normal(size=(5, 30)) + generator.normal(size=(400, 30))
    patients = np.arange(400)
    widths = {}
    for name, groups in (("once", patients), ("named", np.tile(patients, 2)), ("unnamed", np.arange(800))):
        rows, targets = (np.tile(values, (len(groups) // 400, 1)) for values in (Z, Y))
        stages = (rows, rows**2)
        heads = tuple(fit_head(stage, targets) for stage in stages)
        rest = tuple(corrected_residuals(head, stage, targets) for head, stage in zip(heads, stages, strict=True))
        found = bootstrap_intervals(heads, rest, groups, 400, 0)
        widths[name] = float((found.high - found.low).mean())
    assert widths["named"] == pytest.approx(widths["once"], rel=0.05)
    assert widths["unnamed"] == pytest.approx(widths["once"] / np.sqrt(2), rel=0.1)


def test_corrected_residuals_are_as_large_as_the_noise_and_its_share_of_importance_is_right():
    """E‖θ̂‖² = ‖θ‖² + noise: with θ = 0 all of it is noise."""
    generator = np.random.default_rng(0)
    shares, sizes = [], []
    for _ in range(30):
        Z, Y = generator.normal(size=(90, 40)), generator.normal(size=(90, 20))
        head = fit_head(Z, Y)
        rest = corrected_residuals(head, Z, Y)
        sizes.append((rest**2).mean())
        shares.append(((rest**2).T @ (head.gain**2 @ head.basis**2)).mean() / (head.importance**2).mean())
        assert (noise_share(head, rest) <= 1).all()
    assert np.mean(sizes) == pytest.approx(1.0, abs=0.03)
    assert np.mean(shares) == pytest.approx(1.0, abs=0.05)


def test_a_patient_with_full_leverage_does_not_break_the_interval():
    generator = np.random.default_rng(0)
    Z, Y = generator.normal(size=(40, 3)), generator.normal(size=(40, 4))
    Z[0, 2] = 1e9  # a unit that says only who this patient is
    head = fit_head(Z, Y)
    assert head.leverage[0] == pytest.approx(1.0)
    rest = corrected_residuals(head, Z, Y)
    found = bootstrap_intervals((head, fit_head(Z**2, Y)), (rest, rest), np.arange(40), 50, 0)
    assert np.isfinite(found.low).all()
    assert np.abs(rest).max() < 10
