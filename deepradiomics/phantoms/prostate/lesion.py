"""From a grade to what is planted: the focus, the look of the gland around it, and the numbers that the truth tells.

    grade 0 (PIRADS < 3)   a faint, diffuse area; no lesion mask
    grade 1 (PIRADS 3)     a weak focus, 8 to 12 mm
    grade 2 (PIRADS 4)     a clear focus under 15 mm
    grade 3 (PIRADS 5)     a strong focus of 15 mm and more

Each driver has its own strength: the grade's band, plus a part of its own, so that none gives the grade away and each
tells something the others do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepradiomics.phantoms.prostate.anatomy import Focus, Look
from deepradiomics.phantoms.prostate.body import Body

GRADES = ("PIRADS < 3", "PIRADS 3", "PIRADS 4", "PIRADS 5")
SHARES = (0.35, 0.25, 0.20, 0.20)
_BANDS = ((0.05, 0.20), (0.30, 0.50), (0.50, 0.75), (0.75, 1.0))  # strength 0 … 1 by grade
_RADII_MM = ((4.0, 7.0), (4.0, 6.0), (5.5, 7.3), (7.8, 11.0))
_OWN = 0.10  # standard deviation of a driver's own part


@dataclass(frozen=True)
class Plan:
    """What is planted in one patient; strengths are 0 (nothing) to about 1 (the strongest PIRADS 5).

    ``coarse`` is nuisance: drawn without looking at the grade.
    """

    grade: int
    zone: str
    focus: Focus
    look: Look
    radius_mm: float
    strength_adc: float
    strength_highb: float
    strength_t2: float
    strength_grain: float
    strength_field: float
    coarse: float

    @classmethod
    def draw(cls, grade: int, body: Body, rng: np.random.Generator) -> Plan:
        band = rng.uniform(*_BANDS[grade])
        adc, highb, t2, grain, field = (float(max(band + d, 0.02)) for d in rng.normal(0, _OWN, 5))
        radius = float(rng.uniform(*_RADII_MM[grade]))
        zone = "peripheral" if rng.random() < 0.7 else "transition"
        coarse = float(rng.uniform(0.02, 0.10))
        edge = 1.5 if grade else 0.8 * radius  # the benign area fades out
        half = (1.15 * radius, 0.85 * radius, radius)
        focus = Focus(_centre(zone, body, rng), half, 1 - 0.45 * t2, 1 - 0.50 * adc, 1 + 1.7 * highb, edge)
        look = Look(0.07 + 0.13 * grain, coarse, 1 - 0.22 * field)
        return cls(grade, zone, focus, look, radius, adc, highb, t2, grain, field, coarse)


def _centre(zone: str, body: Body, rng: np.random.Generator) -> tuple[float, float, float]:
    """The focus's middle: in the peripheral zone behind and beside, in the transition zone in a lobe."""
    a, b, c = body.half_axes_mm
    side = float(rng.choice([-1.0, 1.0]))
    if zone == "peripheral":
        angle, height = rng.uniform(0.20, 1.25), rng.uniform(-0.45, 0.35)  # from straight behind towards the side
        reach = 0.76 * math.sqrt(1 - height**2)
        return side * reach * a * math.sin(angle), reach * b * math.cos(angle), float(height * c)
    x, y, z = body.transition_centre_mm
    wide, deep, high = body.transition_axes_mm
    u, v, w = rng.uniform(0.3, 0.55), rng.uniform(-0.4, 0.1), rng.uniform(-0.35, 0.35)
    return float(x + side * u * wide), float(y + v * deep), float(z + w * high)
