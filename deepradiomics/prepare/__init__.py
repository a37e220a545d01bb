"""From images as they come to the region a method sees: resample, register, normalise, cut into patches, paint back."""

from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.exam.box import Box
from deepradiomics.prepare.exam.exam import PreparedExam, prepare_exam
from deepradiomics.prepare.exam.paint import paint_map, paint_patches, patch_boxes
from deepradiomics.prepare.exam.patches import patch_labels, patch_slices
from deepradiomics.prepare.exam.recipe import Recipe
from deepradiomics.prepare.exam.templates import Templates, build_templates
from deepradiomics.prepare.intensity import normalise
from deepradiomics.prepare.orientation import canonical_grid, reformat
from deepradiomics.prepare.registration.register import Registration, register
from deepradiomics.prepare.resample import resample, resample_mask
from deepradiomics.prepare.stack import PreparedStack, StackRecipe, prepare_stack

__all__ = [
    "AffineTransform",
    "Box",
    "PreparedExam",
    "PreparedStack",
    "Recipe",
    "Registration",
    "StackRecipe",
    "Templates",
    "build_templates",
    "canonical_grid",
    "normalise",
    "paint_map",
    "paint_patches",
    "patch_boxes",
    "patch_labels",
    "patch_slices",
    "prepare_exam",
    "prepare_stack",
    "reformat",
    "register",
    "resample",
    "resample_mask",
]
