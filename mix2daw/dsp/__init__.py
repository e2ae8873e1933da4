"""Numerics shared by processors."""
