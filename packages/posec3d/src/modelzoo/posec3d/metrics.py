"""Accuracy of classified samples: probabilities over clips, top-k, confusion; pure functions on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def clip_average(logits: np.ndarray) -> np.ndarray:
    """The probabilities of a sample: softmax of every clip, then their mean, as upstream's `average_clips='prob'`.

    Args:
        logits: `(clips, classes)`, finite.

    Returns:
        `(classes,) float64`, 0..1, with the sum 1.
    """
    import numpy as np

    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    mean: np.ndarray = (powers / powers.sum(axis=1, keepdims=True)).mean(axis=0)
    return mean


def label_ranks(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """At which place the right class of every sample is; of classes that are alike the lower number comes first.

    Args:
        probabilities: `(samples, classes)`.
        labels: `(samples,) int`, the right classes.

    Returns:
        `(samples,) int64`, from 0.

    >>> import numpy as np
    >>> label_ranks(np.array([[0.2, 0.6, 0.2], [0.4, 0.2, 0.4]]), np.array([2, 2])).tolist()
    [2, 1]
    """
    import numpy as np

    own = np.take_along_axis(probabilities, labels[:, None], axis=1)
    before = np.arange(probabilities.shape[1]) < labels[:, None]
    ranks: np.ndarray = ((probabilities > own) | ((probabilities == own) & before)).sum(axis=1)
    return ranks


def top_k_accuracy(ranks: np.ndarray, k: int) -> float:
    """The share of samples whose right class is among the first k.

    Args:
        ranks: See `label_ranks`; at least one.
        k: From 1.
    """
    return float((ranks < k).mean())


def confusion_matrix(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How often each class was taken for each; of classes that are alike the lower number is taken.

    Args:
        probabilities: `(samples, classes)`.
        labels: `(samples,) int`, the right classes.

    Returns:
        `(classes, classes) int64`, a row for each right class.
    """
    import numpy as np

    classes = probabilities.shape[1]
    pairs = labels * classes + probabilities.argmax(axis=1)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def class_accuracies(confusion: np.ndarray) -> np.ndarray:
    """The share of right answers of every class.

    Args:
        confusion: See `confusion_matrix`.

    Returns:
        `(classes,) float64`, NaN for a class without samples.
    """
    import numpy as np

    samples = confusion.sum(axis=1)
    shares = np.full(len(samples), np.nan)
    np.divide(confusion.diagonal(), samples, where=samples > 0, out=shares)
    return shares
