"""Gait recognition with GaitSet (Chao et al., AAAI 2019): silhouettes to cross-view rank-1."""

__version__ = "0.1.0"
