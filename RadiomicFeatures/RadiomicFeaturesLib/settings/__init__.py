"""The Settings section: presets, the builder, saved settings, and the grey levels that they give."""
