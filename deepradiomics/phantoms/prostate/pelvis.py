"""What lies around the prostate: muscles, bones, bladder, seminal vesicles, rectum, levator and vessels.

         bladder            pubis
       ╭────────╮        ───╮   ╭───
       ╰─╮────╭─╯        ╭──stroma──╮
 seminal │ TZ │      ()  │ (TZ)(TZ) │  ()   obturator muscles at the sides
vesicles─┤ PZ │          ╰────PZ────╯
  rectum ╰────╯          ( rectum  )
   (sagittal)               (axial)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepradiomics.phantoms.prostate.body import Body, Fill, Points, ellipsoid


def surroundings(p: Points, body: Body, fill: Fill) -> None:
    """Paint everything but the gland; later solids cover earlier ones."""
    x, y, z = p
    a, b, c = body.half_axes_mm
    w = body.width
    skin = np.maximum(np.abs(x) / np.float32(175 * w), np.abs(y + 5) / np.float32(105))
    fill((1 - skin) * np.float32(-105), "fat")
    side = (np.abs(x), y, z)
    fill(ellipsoid(side, (58 * w, 62, 0), (46, 30, 90)), "muscle", 2.0)  # gluteus
    fill(ellipsoid(side, (47 * w, -4, 2), (13, 34, 70)), "muscle", 2.0)  # obturator internus
    fill(ellipsoid(side, (72 * w, -52, 0), (30, 16, 60)), "muscle", 2.0)
    bones: Sequence[tuple[Sequence[float], Sequence[float]]] = (
        ((88 * w, -4, 18), (25, 25, 27)),  # femoral head
        ((64 * w, 2, 6), (9, 30, 40)),  # acetabulum
        ((22, -51, -12), (20, 9, 17)),  # pubis
    )
    for middle, half in bones:
        bone = ellipsoid(side, middle, half)
        fill(bone, "cortex")
        fill(bone + np.float32(2.0), "marrow")
    sling = np.abs(ellipsoid(side, (0, 6, -30), (a + 9, b + 22, 46))) - np.float32(1.6)  # levator ani
    fill(np.maximum(np.maximum(sling, z - np.float32(0.4 * c)), np.float32(-0.3 * b) - y), "muscle")
    full = body.bladder_mm
    bladder = ellipsoid(p, (0, -8, c + 0.72 * full), (1.25 * full, 0.9 * full, 0.8 * full))
    fill(bladder - np.float32(2.5), "bladder wall")
    fill(bladder, "urine")
    for number in range(3):  # a lobulated pair of vesicles behind the bladder's neck
        centre = (7 + 8 * number, b * 0.72 + 1.5 * (number % 2), c * 0.92 + 2.0 * number)
        fill(ellipsoid(side, centre, (5.2, 4.0, 5.5)) - np.float32(0.8), "capsule")
        fill(ellipsoid(side, centre, (5.2, 4.0, 5.5)), "vesicle")
    behind = (x, y - np.float32(b + body.rectum_mm + 2.5) - np.float32(0.16) * z, z * np.float32(0.02))
    radii = (body.rectum_mm * 1.1, body.rectum_mm, 99.0)
    tube = (np.sqrt((behind[0] / radii[0]) ** 2 + (behind[1] / radii[1]) ** 2) - 1) * np.float32(radii[1])
    fill(tube, "bowel wall")
    fill(tube + np.float32(3.2), "gas" if body.gas else {"t2": 240.0, "adc": 900.0, "highb": 14.0})
    for place in ((0.80 * a, 0.78 * b), (0.92 * a, 0.58 * b)):  # neurovascular bundles
        fill(np.sqrt((side[0] - place[0] - 3) ** 2 + (y - place[1] - 3) ** 2) - np.float32(1.7), "vessel")
