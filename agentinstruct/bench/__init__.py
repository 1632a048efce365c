"""Orca-Bench: a held-out set of each skill, and how any model does on it."""
