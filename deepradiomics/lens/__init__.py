"""RadiomicLens: what fine-tuning changed in an imaging encoder, told in radiomic terms."""

from typing import TYPE_CHECKING

from deepradiomics.public import lazy

if TYPE_CHECKING:
    from deepradiomics.lens.bundle import LensBundle as LensBundle
    from deepradiomics.lens.bundle import load_lens as load_lens
    from deepradiomics.lens.case.run import CaseMap as CaseMap
    from deepradiomics.lens.case.run import CaseSource as CaseSource
    from deepradiomics.lens.case.run import case_map as case_map
    from deepradiomics.lens.config import LensConfig as LensConfig
    from deepradiomics.lens.encoders.config import EncoderConfig as EncoderConfig
    from deepradiomics.lens.encoders.embeddings import Embeddings as Embeddings
    from deepradiomics.lens.encoders.encode import encode as encode
    from deepradiomics.lens.encoders.finetune.run import FinetuneRequest as FinetuneRequest
    from deepradiomics.lens.encoders.finetune.run import finetune as finetune
    from deepradiomics.lens.encoders.pretrain.run import PretrainRequest as PretrainRequest
    from deepradiomics.lens.encoders.pretrain.run import pretrain as pretrain
    from deepradiomics.lens.estimator.lens import RadiomicLens as RadiomicLens
    from deepradiomics.lens.fit.run import LensRequest as LensRequest
    from deepradiomics.lens.fit.run import fit_lens as fit_lens
    from deepradiomics.lens.result import LensResult as LensResult
    from deepradiomics.networks.encoders.load import load_encoder as load_encoder

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "deepradiomics.networks.encoders.load": "load_encoder",
        ".bundle": "LensBundle load_lens",
        ".case.run": "CaseMap CaseSource case_map",
        ".config": "LensConfig",
        ".encoders.config": "EncoderConfig",
        ".encoders.embeddings": "Embeddings",
        ".encoders.encode": "encode",
        ".encoders.finetune.run": "FinetuneRequest finetune",
        ".encoders.pretrain.run": "PretrainRequest pretrain",
        ".estimator.lens": "RadiomicLens",
        ".fit.run": "LensRequest fit_lens",
        ".result": "LensResult",
    },
)
