"""Neural networks and the bundles that carry them: plain modules in, tensors out; they know nothing of radiomics.

Each network lives in its own file and imports torch there; this package itself stays light.
"""
