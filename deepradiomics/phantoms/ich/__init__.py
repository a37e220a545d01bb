"""Synthetic haemorrhages on head CT."""
