"""A cohort of images and regions: each case's features, kept, resumed and gathered into one table."""
