"""Freeze shap's values of two small forests, with the forests: shap cannot be installed where slicer-core is.

    PYTHONPATH=<folder of `pip install --target … --no-deps shap slicer`> python -m Testing.reference.freeze_shap

(shap requires a package named ``slicer``, which is not 3D Slicer's; see docs/decisions/0009.)
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FROZEN = Path(__file__).with_name("frozen") / "shap_forests.json"
ROWS, BACKGROUND, COLUMNS, TREES = 6, 12, 12, 8


def main() -> None:
    """Fit the forests, let shap explain them, write everything that the test needs."""
    import shap
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    from deepradiomics.modelling.frozen import freeze

    generator = np.random.default_rng(7)
    X = generator.normal(size=(120, COLUMNS)).astype(np.float32).astype(np.float64)
    y = (X[:, 0] * X[:, 1] + X[:, 2] + generator.normal(0, 0.5, len(X)) > 0).astype(int)
    rows, background = X[:ROWS], X[-BACKGROUND:]
    document: dict[str, object] = {
        "made by": "python -m Testing.reference.freeze_shap", "shap": shap.__version__,
        "rows": rows.tolist(), "background": background.tolist(), "forests": {},
    }  # fmt: skip
    for name, kind in (("random-forest", RandomForestClassifier), ("extra-trees", ExtraTreesClassifier)):
        forest = kind(TREES, max_depth=6, random_state=0).fit(X, y)
        explainer = shap.TreeExplainer(forest, background, feature_perturbation="interventional")
        arrays, info = freeze(forest).to_arrays()
        document["forests"][name] = {  # type: ignore[index]
            "info": info,
            "arrays": {key: [str(array.dtype), array.tolist()] for key, array in arrays.items()},
            "values": explainer.shap_values(rows, check_additivity=False)[..., 1].tolist(),
            "base": float(np.ravel(explainer.expected_value)[1]),
        }
    FROZEN.write_text(json.dumps(document) + "\n", encoding="utf-8")
    print(f"{FROZEN} ({FROZEN.stat().st_size / 1024:.0f} KB), shap {shap.__version__}")


if __name__ == "__main__":
    main()
