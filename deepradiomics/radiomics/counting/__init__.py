"""Counting grey-level matrices: the plan and its three executions."""
