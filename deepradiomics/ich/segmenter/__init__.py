"""Training the network that segments the haematoma."""
