"""The network that predicts and selects features, and the bundle it is saved as."""
