"""Maps compiled by numba."""
