"""Runs that differ in one thing, at the same number of calls, and what came of each."""
