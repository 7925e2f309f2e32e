"""Executed notebooks to documents."""
