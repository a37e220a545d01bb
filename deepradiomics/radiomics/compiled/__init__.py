"""The definitions compiled by numba, each beside the one in `features`."""
