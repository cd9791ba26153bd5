"""The metric of pytorch-ignite: recorded values of the upstream's R1_mAP, epochs, and what it refuses."""

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from ignite.exceptions import NotComputableError

from modelzoo.common.errors import DataError
from modelzoo.common.testing.plugin import Finished
from modelzoo.reid.ignite import R1mAP

Batch = tuple[torch.Tensor, Any, Any]
QUERIES = 200


@pytest.fixture(scope="module")
def rows(golden: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, persons and cameras of the recording: 200 queries, then the gallery without junk."""
    data = np.load(golden / "metrics.npz")
    used = data["gallery_pid_raw"] != -1
    return (
        np.concatenate([data["query_feat"], data["gallery_feat"][used]]),
        np.concatenate([data["query_pid"], data["gallery_pid_raw"][used]]),
        np.concatenate([data["query_cam"], data["gallery_cam"][used]]),
    )


@pytest.fixture(scope="module")
def recorded(golden: Path) -> Callable[[str], dict[str, Any]]:
    """mAP and CMC of the upstream's metric, by feat_norm."""
    results = json.loads((golden / "metrics.json").read_text())["results"]
    return lambda feat_norm: results[f"R1_mAP feat_norm={feat_norm}"]


def batches(rows: tuple[np.ndarray, ...], size: int = 64) -> Iterator[Batch]:
    """As the upstream's loader gives them: a tensor and two tuples of numbers."""
    features, persons, cameras = rows
    for start in range(0, len(features), size):
        part = slice(start, start + size)
        yield torch.from_numpy(features[part]), tuple(persons[part].tolist()), tuple(cameras[part].tolist())


def computed(metric: R1mAP, given: Any) -> tuple[np.ndarray, float]:
    for batch in given:
        metric.update(batch)
    return metric.compute()


@pytest.mark.parametrize("feat_norm", ["yes", "no"])
def test_recorded_metrics_by_an_engine_in_every_epoch(
    feat_norm: str, rows: tuple[np.ndarray, ...], recorded: Callable[[str], dict[str, Any]]
) -> None:
    engine = Engine(lambda _, batch: batch)
    R1mAP(QUERIES, max_rank=50, feat_norm=feat_norm).attach(engine, "r1_mAP")
    epochs = []
    engine.add_event_handler(Events.EPOCH_COMPLETED, lambda done: epochs.append(done.state.metrics["r1_mAP"]))
    engine.run(list(batches(rows)), max_epochs=3)
    want = recorded(feat_norm)
    assert len(epochs) == 3
    for cmc, mean_ap in epochs:
        assert mean_ap == pytest.approx(want["mAP"], abs=1e-9, rel=0)
        assert cmc == pytest.approx(want["cmc"], abs=1e-7, rel=0)


@pytest.mark.parametrize("feat_norm", ["yes", "no"])
def test_recorded_metrics_after_reranking(feat_norm: str, rows: tuple[np.ndarray, ...], golden: Path) -> None:
    results = json.loads((golden / "metrics.json").read_text())["results"]
    want = results[f"re-ranking in float64 (same algorithm) feat_norm={feat_norm}"]
    cmc, mean_ap = computed(R1mAP(QUERIES, feat_norm=feat_norm, rerank=True), batches(rows))
    assert mean_ap == pytest.approx(want["mAP"], abs=1e-6, rel=0)
    assert cmc == pytest.approx(want["cmc"], abs=1e-7, rel=0)
    upstream = results[f"R1_mAP_reranking feat_norm={feat_norm} (upstream half precision)"]
    assert mean_ap == pytest.approx(upstream["mAP"], abs=2e-4, rel=0)


@pytest.mark.parametrize("size", [1, 199, 200, 1055])
def test_batches_of_any_size(
    size: int, rows: tuple[np.ndarray, ...], recorded: Callable[[str], dict[str, Any]]
) -> None:
    _, mean_ap = computed(R1mAP(QUERIES), batches(rows, size))
    assert mean_ap == pytest.approx(recorded("yes")["mAP"], abs=1e-9, rel=0)


@pytest.mark.parametrize("max_rank", [1, 10])
def test_max_rank_is_the_length_of_the_curve(
    max_rank: int, rows: tuple[np.ndarray, ...], recorded: Callable[[str], dict[str, Any]]
) -> None:
    cmc, mean_ap = computed(R1mAP(QUERIES, max_rank), batches(rows))
    assert cmc == pytest.approx(recorded("yes")["cmc"][:max_rank], abs=1e-7, rel=0)
    assert mean_ap == pytest.approx(recorded("yes")["mAP"], abs=1e-9, rel=0)


LABELS: dict[str, Callable[[tuple[int, ...]], Any]] = {
    "tensors": torch.tensor,
    "arrays": np.array,
    "small integers": lambda numbers: torch.tensor(numbers, dtype=torch.int16),
    "tensors of one number": lambda numbers: [torch.tensor(number) for number in numbers],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind(kind: str, rows: tuple[np.ndarray, ...], recorded: Callable[[str], dict[str, Any]]) -> None:
    given = ((features, LABELS[kind](who), LABELS[kind](where)) for features, who, where in batches(rows))
    assert computed(R1mAP(QUERIES), given)[1] == pytest.approx(recorded("yes")["mAP"], abs=1e-9, rel=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_features_with_a_gradient_in_any_precision(dtype: torch.dtype) -> None:
    features = torch.tensor([[1, 0], [0, 2], [1, 2], [2, 1]], dtype=dtype, requires_grad=True)
    # The query is person 1; nearest by angle is row 3 (person 1), then row 2 (person 3), then row 1 (person 1).
    cmc, mean_ap = computed(R1mAP(1, max_rank=2), [(features * 1, (1, 1, 3, 1), (1, 2, 2, 3))])
    assert mean_ap == pytest.approx((1 + 2 / 3) / 2, abs=1e-12)
    assert cmc.tolist() == [1, 1]


def test_batches_are_kept_although_the_loader_reuses_its_memory(
    rows: tuple[np.ndarray, ...], recorded: Callable[[str], dict[str, Any]]
) -> None:
    metric, memory = R1mAP(QUERIES), (torch.empty(64, rows[0].shape[1]), np.empty(64, int), np.empty(64, int))
    for batch in batches(rows):
        for place, values in zip(memory, batch, strict=True):
            place[: len(values)] = values
        metric.update(tuple(place[: len(batch[0])] for place in memory))
    assert metric.compute()[1] == pytest.approx(recorded("yes")["mAP"], abs=1e-9, rel=0)


def test_reset_forgets(rows: tuple[np.ndarray, ...], recorded: Callable[[str], dict[str, Any]]) -> None:
    metric = R1mAP(QUERIES)
    metric.update((torch.ones(7, 3), range(7), range(7)))
    metric.reset()
    assert computed(metric, batches(rows))[1] == pytest.approx(recorded("yes")["mAP"], abs=1e-9, rel=0)


def test_nothing_came() -> None:
    with pytest.raises(NotComputableError, match=r"got 0 features"):
        R1mAP(3).compute()


@pytest.mark.parametrize("num_query", [4, 5, 3368])
def test_more_queries_than_rows(num_query: int) -> None:
    given = [(torch.ones(4, 2), (1, 2, 3, 4), (1, 1, 1, 1))]
    with pytest.raises(NotComputableError, match=rf"got 4 features of which the first {num_query} \(num_query\)"):
        computed(R1mAP(num_query), given)


def test_no_query_with_a_match() -> None:
    with pytest.raises(DataError, match=r"none of the 2 queries has a match"):
        computed(R1mAP(2), [(torch.ones(4, 2), (1, 2, 3, 4), (1, 1, 1, 1))])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"num_query": 1, "feat_norm": "on"}, "feat_norm is yes or no, got 'on'"),
        ({"num_query": 1, "feat_norm": True}, "feat_norm is yes or no, got True"),
        ({"num_query": 0}, "count from 1, got 0 and 50"),
        ({"num_query": 1, "max_rank": 0}, "count from 1, got 1 and 0"),
    ],
)
def test_arguments_that_are_not_possible(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        R1mAP(**arguments)


@pytest.mark.parametrize(
    ("features", "persons", "cameras"),
    [
        (torch.ones(3, 2), (1, 2), (1, 2, 3)),
        (torch.ones(3, 2), (1, 2, 3), (1, 2)),
        (torch.ones(3), (1, 2, 3), (1, 2, 3)),
        (torch.ones(3, 2, 1), (1, 2, 3), (1, 2, 3)),
    ],
)
def test_a_batch_that_does_not_fit_together(features: torch.Tensor, persons: Any, cameras: Any) -> None:
    with pytest.raises(ValueError, match=r"a batch is features \(n, d\), persons \(n,\) and cameras \(n,\), got \("):
        R1mAP(1).update((features, persons, cameras))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e20])
def test_features_without_distances(value: float) -> None:
    features = torch.ones(3, 2)
    features[1, 1] = value
    with pytest.raises(ValueError, match="not finite, or too large"):
        R1mAP(1).update((features, (1, 2, 3), (1, 2, 3)))


@pytest.mark.parametrize("missing", ["ignite", "torch"])
def test_without_the_extra_the_error_says_how_to_get_it(missing: str, reid_process: Callable[..., Finished]) -> None:
    program = f"import sys; sys.modules['{missing}'] = None; import modelzoo.reid.ignite"
    done = reid_process(program=program)
    assert done.code == 1
    last = done.err.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: modelzoo.reid.ignite needs pytorch-ignite and torch")
    assert missing in last
    assert last.endswith("pip install './packages/reid[ignite]'")


def test_everything_else_does_without_it(reid_process: Callable[..., Finished], tmp_path: Path) -> None:
    assert importlib.util.find_spec("ignite") is not None
    program = "import sys; from modelzoo.reid import cli, run, verify; print('ignite' in sys.modules)"
    assert reid_process(program=program).out == "False\n"
