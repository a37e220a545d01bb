"""The cross-validated experiment: components, classifiers, evaluation, bundle."""
