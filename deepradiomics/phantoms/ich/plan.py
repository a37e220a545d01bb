"""One patient's draw: age, sex, site, haematomas, expansion and outcome, and which of them drives which.

heterogeneity ─┐
swirl ─────────┼─► risk ─► expansion (mL) ─► value_expansion_ml
irregularity ──┤            │
volume (weak) ─┘            ▼
                volume, age, location, noise ─► value_mrs
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepradiomics.phantoms.ich.haematoma import LEAST_ML, LOCATIONS, MEDIAN_ML, MOST_ML, Haematoma

# Weights of the standardised drivers in the risk of expansion; their squares and the noise's add up to 1.
RISK = {"heterogeneity": 0.62, "swirl": 0.45, "irregularity": 0.30, "volume": 0.12}
RISK_NOISE = math.sqrt(1 - sum(w**2 for w in RISK.values()))
# Expansion = 3 mL · exp(STEEP · (risk − AT_3)): about 30 % beyond 3 mL, 20 % beyond 6 mL, 14 % beyond 9 mL.
AT_3, STEEP, LARGEST_EXPANSION_ML = 0.50, 1.95, 40.0
# The same for the latent severity: log volume at 24 h, age, location.
MRS = {"volume": 0.55, "age": 0.40, "location": 0.25}
MRS_NOISE = math.sqrt(1 - sum(w**2 for w in MRS.values()))
_MRS_CUTS = (-1.5, -0.85, -0.3, 0.4, 1.05, 1.45)  # severity above the last is mRS 6 (dead)
_BADNESS = {"putamen": 0.2, "thalamus": 0.9, "lobar": -1.0, "cerebellum": 0.4}
SITES = ("A", "B", "C")
_SITE_SHARES = (0.5, 0.3, 0.2)


@dataclass(frozen=True)
class Plan:
    """What was drawn for one patient. The first haematoma is the main one; only it grows."""

    age: float
    sex: str
    site: str
    haematomas: tuple[Haematoma, ...]
    risk: float
    mrs: int
    severity: float
    nihss: int

    @property
    def volume_ml(self) -> float:
        """All haematomas at baseline."""
        return sum(h.volume_ml for h in self.haematomas)

    @property
    def expansion_ml(self) -> float:
        """What the follow-up has more."""
        return sum(h.grown_ml for h in self.haematomas)

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Plan:
        """Everything about one patient but the head's own anatomy."""
        age = float(np.clip(rng.normal(64, 13), 22, 96))
        sex = "F" if rng.random() < 0.42 else "M"
        site = str(rng.choice(SITES, p=_SITE_SHARES))
        drivers = {name: _uniform_normal(rng) for name in ("heterogeneity", "swirl", "irregularity")}
        size = float(rng.normal())
        risk = sum(RISK[name] * z for name, (z, _) in drivers.items()) + RISK["volume"] * size
        risk += RISK_NOISE * float(rng.normal())
        volume = float(np.clip(MEDIAN_ML * math.exp(0.75 * size), LEAST_ML, MOST_ML))
        grown = min(3 * math.exp(STEEP * (risk - AT_3)), LARGEST_EXPANSION_ML) - 0.06 * volume * float(rng.random())
        grown = max(grown, -0.15 * volume)
        main = _haematoma(rng, volume, grown, {name: share for name, (_, share) in drivers.items()})
        haematomas = [main]
        if rng.random() < 0.10:
            haematomas.append(_second(rng, main))
        final = math.log((volume + max(grown, 0.0)) / MEDIAN_ML) / 0.85
        severity = MRS["volume"] * final + MRS["age"] * (age - 64) / 13 + MRS["location"] * _BADNESS[main.location]
        severity += MRS_NOISE * float(rng.normal())
        mrs = int(np.searchsorted(_MRS_CUTS, severity))
        nihss = int(np.clip(round(11 + 4.5 * math.log(volume / MEDIAN_ML) + rng.normal(0, 4)), 0, 40))
        return cls(round(age, 1), sex, site, tuple(haematomas), float(risk), mrs, float(severity), nihss)


def _uniform_normal(rng: np.random.Generator) -> tuple[float, float]:
    """A standard normal number and its rank in (0, 1)."""
    z = float(rng.normal())
    return z, 0.5 * (1 + math.erf(z / math.sqrt(2)))


def _haematoma(rng: np.random.Generator, volume: float, grown: float, drivers: dict[str, float]) -> Haematoma:
    names = list(LOCATIONS)
    location = names[int(rng.choice(len(names), p=[LOCATIONS[n][0] for n in names]))]
    if location == "cerebellum" and volume > 30:  # there is no room for it
        location = "lobar"
    _, middle, spread, axes = LOCATIONS[location]
    side = -1 if rng.random() < 0.5 else 1
    centre = np.array(middle) + np.array(spread) * rng.uniform(-1, 1, 3)
    axes_ = np.array(axes) * np.exp(rng.normal(0, 0.08, 3))
    a, b, c = (float(v) for v in axes_ / np.prod(axes_) ** (1 / 3))
    return Haematoma(
        location, (float(side * centre[0]), float(centre[1]), float(centre[2])), (a, b, c),
        float(rng.uniform(-0.4, 0.4)), volume, grown,
        drivers["irregularity"], drivers["heterogeneity"], drivers["swirl"],
        float(rng.normal(63, 2.0)), float(rng.uniform(2.5, 7.0)), int(rng.integers(2**31)),
    )  # fmt: skip


def _second(rng: np.random.Generator, main: Haematoma) -> Haematoma:
    """A smaller one on the other side."""
    volume = float(min(rng.uniform(0.6, 3.0), main.volume_ml / 2))
    drivers = {name: float(rng.random()) for name in ("heterogeneity", "swirl", "irregularity")}
    second = _haematoma(rng, volume, 0.0, drivers)
    x, y, z = second.centre_mm
    other_side = -math.copysign(1, main.centre_mm[0]) * abs(x)
    values = {**second.__dict__, "centre_mm": (other_side, y, z)}
    return Haematoma(**values)
