"""Experiments of the published method, on any corpus."""
