"""Reports, figures and tables of results; nothing here computes a result."""

from typing import TYPE_CHECKING

from deepradiomics.public import lazy

if TYPE_CHECKING:
    from deepradiomics.reports.fingerprint.evaluation import write_evaluation as write_evaluation
    from deepradiomics.reports.fingerprint.report import write_report as write_report
    from deepradiomics.reports.ich.case_report import write_case_report as write_case_report
    from deepradiomics.reports.ich.report import write_experiment as write_experiment
    from deepradiomics.reports.lens.case import case_picture as case_picture
    from deepradiomics.reports.lens.outputs import write_outputs as write_outputs

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        ".fingerprint.evaluation": "write_evaluation",
        ".fingerprint.report": "write_report",
        ".ich.case_report": "write_case_report",
        ".ich.report": "write_experiment",
        ".lens.case": "case_picture",
        ".lens.outputs": "write_outputs",
    },
)
