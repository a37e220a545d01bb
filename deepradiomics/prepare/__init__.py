"""From images as they come to the region a method sees: resample, register, normalise, cut into patches, paint back."""

from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.box import Box
from deepradiomics.prepare.exam import PreparedExam, prepare_exam
from deepradiomics.prepare.intensity import normalise
from deepradiomics.prepare.orientation import canonical_grid, reformat
from deepradiomics.prepare.paint import paint_map, paint_patches, patch_boxes
from deepradiomics.prepare.patches import patch_labels, patch_slices
from deepradiomics.prepare.recipe import Recipe
from deepradiomics.prepare.register import Registration, register
from deepradiomics.prepare.resample import resample, resample_mask
from deepradiomics.prepare.stack import PreparedStack, StackRecipe, prepare_stack
from deepradiomics.prepare.templates import Templates, build_templates

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
