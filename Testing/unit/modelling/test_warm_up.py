"""``warm-up`` compiles every kernel for the types that are used: no first factorisation or explanation waits."""

import numpy as np
import pytest

from deepradiomics import kernels as compiled
from deepradiomics.modelling.components.nmf import NMF
from deepradiomics.modelling.warm_up import warm_up

pytest.importorskip("numba")
pytest.importorskip("sklearn")


def test_after_it_factorisation_and_explanations_compile_nothing() -> None:
    from deepradiomics.modelling import shapley_cpu
    from deepradiomics.modelling.classifiers import fit_classifier
    from deepradiomics.modelling.components import hals_cpu
    from deepradiomics.modelling.frozen import FrozenModel, freeze
    from deepradiomics.modelling.shapley import component_shap

    assert warm_up() > 0
    kernels = (hals_cpu.sweep_block, hals_cpu.solve_rows, shapley_cpu.row_values, shapley_cpu.walk_steps)
    before = [list(kernel.signatures) for kernel in kernels]
    assert all(before)
    rng = np.random.default_rng(0)
    table = rng.random((30, 12))
    y = (table[:, 0] > 0.5).astype(int)
    NMF(3, max_iter=3).fit(table.astype(np.float32)).transform(table[:2])
    models = ["extra-trees"]
    try:
        import xgboost  # noqa: F401

        models.append("xgboost")
    except ImportError:
        pass
    for name in models:
        model = freeze(fit_classifier(name, table, y, seed=0, n_estimators=3))
        arrays, info = model.to_arrays()
        for one in (model, FrozenModel.from_arrays(arrays, info)):
            component_shap(one, table[:1], table, threads=1)
    assert [list(kernel.signatures) for kernel in kernels] == before


def test_without_numba_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from deepradiomics.modelling import warm_up as module

    monkeypatch.setattr(module, "available", lambda: False)
    assert warm_up() == 0
    assert compiled.available()
