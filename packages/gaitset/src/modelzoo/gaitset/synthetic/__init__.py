"""Drawn walkers: silhouettes of people who never lived, for demos and tests.

`walker` says who walks and how, `body` puts rounded parts on their skeleton, `drawing` takes the pictures.
"""
