"""Statistically honest, plain-English performance reports for UK councils."""

__version__ = "0.1.0"
