"""The features by name: PyRadiomics' and IBSI's, their units, codes and one plain sentence about each."""
