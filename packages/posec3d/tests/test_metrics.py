"""Top-k, confusion and averages: the recorded originals, by hand, and the ties."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from modelzoo.posec3d.metrics import class_accuracies, clip_average, confusion_matrix, label_ranks, top_k_accuracy


def test_the_recorded_scores_give_the_recorded_accuracy(golden: Path) -> None:
    recorded = np.load(golden / "postprocess.npz")
    random = np.random.default_rng(3001)
    logits = (random.standard_normal((200, 20, 51)) * 3).astype(np.float32)
    labels = random.integers(0, 51, 200)
    for number, label in enumerate(labels):
        logits[number, :, label] += np.float32(1.5)
    assert hashlib.sha256(logits).hexdigest() == recorded["logits_sha256"]
    probabilities = np.array([clip_average(clips) for clips in logits])
    assert np.abs(probabilities - recorded["prob"]).max() < 1e-6
    ranks = label_ranks(probabilities, labels)
    assert [top_k_accuracy(ranks, k) for k in (1, 5)] == recorded["top"].tolist() == [0.205, 0.465]


def test_clips_are_averaged_behind_the_softmax() -> None:
    logits = np.log(np.float32([[1, 3], [3, 1], [1, 1]]))
    assert clip_average(logits) == pytest.approx([0.5, 0.5])
    assert clip_average(np.log(np.float32([[1, 3], [1, 1]]))) == pytest.approx([0.375, 0.625])


def test_large_logits_do_not_overflow() -> None:
    assert clip_average(np.float32([[3e38, -3e38], [1000, 1000]])) == pytest.approx([0.75, 0.25])


def test_of_classes_that_are_alike_the_lower_number_comes_first() -> None:
    alike = np.full((7, 7), 1 / 7)
    ranks = label_ranks(alike, np.arange(7))
    assert ranks.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert top_k_accuracy(ranks, 1) == 1 / 7
    assert top_k_accuracy(ranks, 5) == 5 / 7
    assert confusion_matrix(alike, np.arange(7))[:, 0].tolist() == [1] * 7


def test_ranks_are_those_of_a_stable_sort() -> None:
    random = np.random.default_rng(0)
    probabilities = random.integers(0, 4, (300, 9)) / 4
    labels = random.integers(0, 9, 300)
    order = np.argsort(-probabilities, axis=1, kind="stable")
    assert np.array_equal(label_ranks(probabilities, labels), np.argmax(order == labels[:, None], axis=1))


def test_confusion_by_hand() -> None:
    answers = np.eye(3)[[0, 1, 1, 2, 0]]
    confusion = confusion_matrix(answers, np.array([0, 0, 1, 0, 0]))
    assert confusion.tolist() == [[2, 1, 1], [0, 1, 0], [0, 0, 0]]
    shares = class_accuracies(confusion)
    assert shares[:2].tolist() == [0.5, 1]
    assert np.isnan(shares[2])
