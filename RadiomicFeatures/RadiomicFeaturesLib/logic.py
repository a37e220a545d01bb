"""Radiomic features from Slicer: nodes in, nodes out; the panel and the Python console share this.

    from RadiomicFeaturesLib.logic import RadiomicFeaturesLogic
    nodes = RadiomicFeaturesLogic().extract(volume, segmentation=segmentation)                      # blocks
    maps = RadiomicFeaturesLogic().maps(volume, ["glcm_Contrast"], segmentation=segmentation)
    table = RadiomicFeaturesLogic().batch("cohort", "results").features
    RadiomicFeaturesLogic().start_extract(volume, segmentation=segmentation, on_finished=print)     # in the background

All computing happens in a child process that runs the command line a terminal runs (`deepradiomics.scene.job.job`).
The scene is touched only when the child has succeeded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import slicer

from deepradiomics.scene.job.job import Job
from deepradiomics.scene.runs.image_tools import ImageTools

from . import work

Cases = Path | str | Sequence[Any]


class RadiomicFeaturesLogic(ImageTools):
    """Features and feature maps; how runs start and end is said in `ImageTools`."""

    def extract(self, volume: Any, **options: Any) -> Any:
        """Radiomic features of a volume's segments or box.

        Parameters
        ----------
        volume
            Scalar volume node.
        options
            ``segmentation`` and ``segment_ids`` (None: all), or ``roi`` (markups ROI node; None: the image's centre)
            with ``patch_grid`` (z, y, x); ``params`` (preset, PyRadiomics parameter file, or a dictionary like one),
            ``device``, ``output_folder`` (keeps the files).

        Returns
        -------
        The nodes (`scene.show.features.FeatureNodes`); ``.features`` is the table: one row per region and feature.
        Segments that overlap keep all of their voxels, each.
        """
        return self.run_and_wait(work.features, (volume,), options)

    def start_extract(self, volume: Any, **options: Any) -> Job[Any]:
        """As `extract`, in the background."""
        return self.run_in_background(work.features, (volume,), options)

    def maps(self, volume: Any, features: Sequence[str] | str = (), **options: Any) -> Any:
        """Radiomic features around each voxel of a region, each as a volume in colours over the anatomy.

        Parameters
        ----------
        volume
            Scalar volume node.
        features
            Names as a table of features has them ("original_glcm_Contrast"), short ("glcm_Contrast") or a family
            ("glcm"); empty for all of ``params`` but shape.
        options
            ``kernel_radius`` (voxels, 1: 3 × 3 × 3), ``segmentation`` and ``segment_ids`` (None: all, as one region),
            or ``roi`` (markups ROI node; None: the image's centre); ``params``, ``device``, ``output_folder``.

        Returns
        -------
        The nodes (`deepradiomics.scene.show.maps.MapNodes`); ``.maps`` are volume nodes by feature.
        """
        return self.run_and_wait(work.feature_maps, (volume, features), options)

    def start_maps(self, volume: Any, features: Sequence[str] | str = (), **options: Any) -> Job[Any]:
        """As `maps`, in the background."""
        return self.run_in_background(work.feature_maps, (volume, features), options)

    def dicom(self, table: Any, output_folder: Path | str, **options: Any) -> tuple[Path, tuple[str, ...]]:
        """Write the regions and features of a result's table as DICOM (SEG, and SR by TID 1500).

        Parameters
        ----------
        table
            Table node of a result whose volume came from Slicer's DICOM database.
        output_folder
            A new folder for the files is made in it.

        Returns
        -------
        The new folder, and notes on what was assumed.
        """
        options["output_folder"] = output_folder
        return self.run_and_wait(work.dicom, (table, slicer.dicomDatabase), options)

    def start_dicom(self, table: Any, output_folder: Path | str, **options: Any) -> Job[Any]:
        """As `dicom`, in the background."""
        options["output_folder"] = output_folder
        return self.run_in_background(work.dicom, (table, slicer.dicomDatabase), options)

    def batch(self, cases: Cases, output: Path | str, **options: Any) -> Any:
        """Radiomic features of many cases in one table; a case that cannot be used stops no other.

        Parameters
        ----------
        cases
            A folder (with a manifest.csv, or images with their masks, in subfolders or side by side), pairs of volume
            node and segmentation node, or series of the DICOM database with their SEG or RTSTRUCT
            (`RadiomicFeaturesLib.batch.dicom_series.series_pairs(slicer.dicomDatabase)`).
        output
            Folder of features.csv, features.json and the finished cases; a stopped batch resumes there.
        options
            ``params``, ``device``, ``mask_grid`` (True: a mask on another grid is laid onto its image's), ``scanner``
            (True: columns of scanner and protocol, from DICOM).

        Returns
        -------
        The nodes (`deepradiomics.scene.show.feature_cohort.CohortNodes`): ``.features``, ``.remarks``, ``.failed``.
        """
        return self.run_and_wait(work.batch, (cases, output), options)

    def start_batch(self, cases: Cases, output: Path | str, **options: Any) -> Job[Any]:
        """As `batch`, in the background."""
        return self.run_in_background(work.batch, (cases, output), options)
