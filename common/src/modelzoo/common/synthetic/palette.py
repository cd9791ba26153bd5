"""Colours and the small random helpers that choose them."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

RGB = tuple[int, int, int]
"""Red, green and blue, each 0 to 255."""

T = TypeVar("T")


def stream(kind: int, seed: int, number: int) -> np.random.Generator:
    """A random stream of its own for each kind of description, seed and number (all 0 or more)."""
    if min(kind, seed, number) < 0:
        raise ValueError(f"seed and number must be 0 or more, got seed {seed} and number {number}")
    return np.random.default_rng([kind, seed, number])


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """One of `items`, each as likely as any other; repeat an item to make it likelier."""
    return items[int(rng.integers(len(items)))]


def vary(rng: np.random.Generator, colour: RGB, spread: int) -> RGB:
    """`colour` with up to `spread` levels added to or taken from each channel."""
    red, green, blue = (np.asarray(colour) + rng.integers(-spread, spread + 1, size=3)).clip(0, 255)
    return int(red), int(green), int(blue)


def shade(colour: RGB, factor: float) -> RGB:
    """`colour` made darker (`factor` below 1) or lighter (above 1).

    >>> shade((200, 100, 50), 0.5)
    (100, 50, 25)
    """
    red, green, blue = (min(255, max(0, round(channel * factor))) for channel in colour)
    return red, green, blue
