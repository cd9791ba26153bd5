"""Distances of features, and what follows from them: nearest features, thresholds."""
