"""Models on any table: NMF components, classifiers, frozen forms, Shapley values, ridge probes, clusters, folds."""

from typing import TYPE_CHECKING

from deepradiomics.public import lazy

if TYPE_CHECKING:
    from deepradiomics.modelling.classifiers import fit_classifier as fit_classifier
    from deepradiomics.modelling.classifiers import make_classifier as make_classifier
    from deepradiomics.modelling.classifiers import nested_search as nested_search
    from deepradiomics.modelling.clusters import Cluster as Cluster
    from deepradiomics.modelling.clusters import feature_clusters as feature_clusters
    from deepradiomics.modelling.components.nmf import NMF as NMF
    from deepradiomics.modelling.components.nmf_components import Components as Components
    from deepradiomics.modelling.folds import Fold as Fold
    from deepradiomics.modelling.folds import experiment_folds as experiment_folds
    from deepradiomics.modelling.frozen import FrozenModel as FrozenModel
    from deepradiomics.modelling.frozen import freeze as freeze
    from deepradiomics.modelling.probes import ProbeChange as ProbeChange
    from deepradiomics.modelling.probes import compare_embeddings as compare_embeddings
    from deepradiomics.modelling.probes import probe_r2 as probe_r2
    from deepradiomics.modelling.shapley import ShapValues as ShapValues
    from deepradiomics.modelling.shapley import component_shap as component_shap

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        ".classifiers": "fit_classifier make_classifier nested_search",
        ".clusters": "Cluster feature_clusters",
        ".components.nmf": "NMF",
        ".components.nmf_components": "Components",
        ".folds": "Fold experiment_folds",
        ".frozen": "FrozenModel freeze",
        ".probes": "ProbeChange compare_embeddings probe_r2",
        ".shapley": "ShapValues component_shap",
    },
)
