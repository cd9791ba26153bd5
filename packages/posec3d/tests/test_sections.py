"""What the report shows: the confusion matrix, every action, and how certain the network is."""

import re

import numpy as np
import pytest

from modelzoo.common.work import SampleInfo
from modelzoo.posec3d.confusion import confusion_figure
from modelzoo.posec3d.evaluate import ActionEvaluator
from modelzoo.posec3d.labels import action_names
from modelzoo.posec3d.sections import action_sections

NAMES = ["<sit>", "stand", "walk", "wave", "jump", "run"]


@pytest.fixture
def evaluator() -> ActionEvaluator:
    """Of four recordings of "walk" one is right, two are taken for "run" and one for "<sit>"; one "wave" is right."""
    made = ActionEvaluator(6)
    for label, answer in ((2, 2), (2, 5), (2, 5), (2, 0), (3, 3)):
        logits = np.tile(np.linspace(1, 0, 6, dtype=np.float32), (20, 1))
        logits[:, answer] = 3
        made.update(SampleInfo("0", "clip", {"label": label}), (logits,))
    return made


def test_every_action_that_has_recordings(evaluator: ActionEvaluator) -> None:
    _, table, _ = action_sections(evaluator, evaluator.result(), NAMES)
    (figure,) = table.figures
    assert figure.rows == [("walk", "4", "25.0%", "100.0%", "run (2)"), ("wave", "1", "100.0%", "100.0%", "–")]


def test_the_most_frequent_mistakes_come_first(evaluator: ActionEvaluator) -> None:
    figure = confusion_figure("Confusion", NAMES, evaluator.result()["confusion"])
    assert figure.rows == [("walk", "run", "2 of 4"), ("walk", "<sit>", "1 of 4")]


def test_the_picture_has_a_cell_for_every_pair_that_occurs(evaluator: ActionEvaluator) -> None:
    drawing = confusion_figure("Confusion", NAMES, evaluator.result()["confusion"]).drawing
    cells = dict(re.findall(r'fill-opacity:([0-9.]+)"><title>(.*?)</title>', drawing))
    assert len(cells) == len(re.findall("<title>", drawing)) - 1  # two are of one shade
    assert cells["1.000"] == "wave, taken for wave: 1 of 1"
    assert cells["0.575"] == "walk, taken for run: 2 of 4"
    assert "&lt;sit&gt;" in drawing
    assert "<sit>" not in drawing
    places = re.findall(r'<rect x="([0-9.]+)" y="([0-9.]+)"', drawing)
    assert all(108 <= float(x) < 512 and 108 <= float(y) < 512 for x, y in places)


def test_few_classes_have_their_names_beside_the_matrix() -> None:
    """Each before its row and above its column."""
    names = [f"action {number}" for number in range(19)] + ["a name that is long"]
    drawing = confusion_figure("Confusion", names, np.eye(20, dtype=int).tolist()).drawing
    words = re.findall(r"<text[^>]*>([^<]*)</text>", drawing)
    assert all(words.count(name) == 2 for name in [*names[:19], "a name that is…"])
    many = confusion_figure("Confusion", [*names, "x"], np.eye(21, dtype=int).tolist()).drawing
    assert len(re.findall("<text", many)) == 2


def test_right_and_wrong_answers_are_told_apart(evaluator: ActionEvaluator) -> None:
    *_, certainty = action_sections(evaluator, evaluator.result(), NAMES)
    assert [row[0] for row in certainty.figures[0].rows] == ["right", "wrong"]


def test_only_wrong_answers() -> None:
    evaluator = ActionEvaluator(51)
    evaluator.update(SampleInfo("0", "clip", {"label": 50}), (np.zeros((20, 51), np.float32),))
    *_, certainty = action_sections(evaluator, evaluator.result(), action_names(51))
    assert [row[0] for row in certainty.figures[0].rows] == ["wrong"]
