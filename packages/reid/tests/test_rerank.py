"""Re-ranking: recorded distances, the definition of the paper in plain loops, a case by hand, and the commands."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.errors import UsageError
from modelzoo.common.testing.plugin import Finished
from modelzoo.common.work import SampleInfo
from modelzoo.reid.dataset import Crop
from modelzoo.reid.evaluate import RetrievalEvaluator
from modelzoo.reid.metrics import Labels, evaluate_ranking
from modelzoo.reid.ranking.distances import QUERY_BLOCK
from modelzoo.reid.rerank import Parameters, Reranking
from modelzoo.reid.rerank.neighbours import SPARE, nearest_neighbours

Commands = Callable[..., Finished]


def reranked(
    query: np.ndarray, gallery: np.ndarray, normalise: bool = False, parameters: Parameters | None = None
) -> np.ndarray:
    """`(q, g)`: all blocks as one."""
    blocks = Reranking(query, gallery, normalise, parameters).blocks()
    return np.concatenate([block.copy() for _, block in blocks])


def by_definition(
    query: np.ndarray, gallery: np.ndarray, normalise: bool, k1: int = 20, k2: int = 6, share: float = 0.3
) -> np.ndarray:
    """The method of Zhong et al. as the upstream has it, with dense matrices in double precision."""
    crops = np.concatenate([query, gallery]).astype(np.float64)
    if normalise:
        crops /= np.linalg.norm(crops, axis=1, keepdims=True)
    distances = np.stack([((crops - crop) ** 2).sum(axis=1) for crop in crops])
    farthest = distances.max(axis=1, keepdims=True)
    relative = distances / np.where(farthest > 0, farthest, 1)
    everybody = np.arange(len(crops))
    ranks = [np.lexsort((everybody, distances[i], everybody != i)).tolist() for i in everybody]

    def reciprocal(i: int, k: int) -> set[int]:
        return {j for j in ranks[i][: k + 1] if i in ranks[j][: k + 1]}

    vectors = np.zeros_like(distances)
    for i in everybody:
        expanded = set(own := reciprocal(i, k1))
        for j in own:
            theirs = reciprocal(j, round(k1 / 2))
            if len(theirs & own) * 3 > len(theirs) * 2:
                expanded |= theirs
        members = sorted(expanded)
        vectors[i, members] = np.exp(-relative[i, members])
        vectors[i] /= vectors[i].sum()
    vectors = np.stack([vectors[ranks[i][:k2]].mean(axis=0) for i in everybody])
    final = np.empty((len(query), len(gallery)))
    for i in range(len(query)):
        for j in range(len(gallery)):
            pair = vectors[[i, len(query) + j]]
            jaccard = 1 - pair.min(axis=0).sum() / pair.max(axis=0).sum()
            final[i, j] = (1 - share) * jaccard + share * relative[i, len(query) + j]
    return final


def people(seed: int, queries: int, gallery: int, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Features of 8 numbers around a few centres."""
    rng = np.random.default_rng(seed)
    centres = 3 * rng.standard_normal((max(2, (queries + gallery) // 12), 8))
    who = rng.integers(0, len(centres), queries + gallery)
    features = (centres[who] + spread * rng.standard_normal((len(who), 8))).astype(np.float32)
    return features[:queries], features[queries:]


def noise(seed: int, queries: int, gallery: int, width: int = 16) -> tuple[np.ndarray, np.ndarray]:
    features = np.random.default_rng(seed).standard_normal((queries + gallery, width)).astype(np.float32)
    return features[:queries], features[queries:]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks, the last one smaller, also for few crops."""
    monkeypatch.setattr("modelzoo.reid.rerank.neighbours.BLOCK", 50)
    monkeypatch.setattr("modelzoo.reid.rerank.encoding.BLOCK", 13)


@pytest.fixture(scope="module")
def recorded(golden: Path) -> dict[str, Any]:
    """The recorded features and distances, without junk, and the metrics."""
    data = dict(np.load(golden / "metrics.npz"))
    used = data["gallery_pid_raw"] != -1
    labels = (
        Labels(data["query_pid"], data["query_cam"]),
        Labels(data["gallery_pid_raw"][used], data["gallery_cam"][used]),
    )
    results = json.loads((golden / "metrics.json").read_text())["results"]
    return {**data, "gallery_feat": data["gallery_feat"][used], "labels": labels, "results": results}


@pytest.mark.parametrize("feat_norm", ["yes", "no"])
def test_recorded_distances_and_metrics(feat_norm: str, recorded: dict[str, Any]) -> None:
    distances = reranked(recorded["query_feat"], recorded["gallery_feat"], feat_norm == "yes")
    assert distances.shape == (200, 855)
    assert np.abs(distances[:40] - recorded[f"rerank_dist_f64_{feat_norm}"]).max() < 1e-6
    assert np.abs(distances[:40] - recorded[f"rerank_dist_upstream_{feat_norm}"]).max() < 2.4e-3  # half precision
    metrics = evaluate_ranking([(0, distances)], *recorded["labels"])
    want = recorded["results"][f"re-ranking in float64 (same algorithm) feat_norm={feat_norm}"]
    assert metrics.mean_ap == pytest.approx(want["mAP"], abs=1e-9, rel=0)
    assert metrics.cmc == pytest.approx(want["cmc"], abs=1e-7, rel=0)
    upstream = recorded["results"][f"R1_mAP_reranking feat_norm={feat_norm} (upstream half precision)"]
    assert metrics.mean_ap == pytest.approx(upstream["mAP"], abs=2e-4, rel=0)


def test_four_crops_by_hand() -> None:
    query, gallery = np.array([[0]], np.float32), np.array([[1], [3], [10]], np.float32)
    # The nearest other of 0 is 1, of 1 it is 0, of 3 it is 1, of 10 it is 3: only 0 and 1 have each other.
    # 0 is described by 1 of itself and exp(-1/100) of 1, and 1 by exp(-1/81) of 0 and 1 of itself, each divided by the
    # sum: what they have in common is the smaller part of each. The others have nothing in common with 0.
    near, back = math.exp(-1 / 100), math.exp(-1 / 81)
    common = back / (1 + back) + near / (1 + near)
    want = [0.7 * (1 - common / (2 - common)) + 0.3 / 100, 0.7 + 0.3 * 9 / 100, 0.7 + 0.3]
    assert reranked(query, gallery, parameters=Parameters(k1=1, k2=1)) == pytest.approx(np.array([want]), abs=1e-7)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize(
    ("query", "gallery"),
    [
        pytest.param(*people(0, 20, 130), id="people"),
        pytest.param(*people(1, 30, 60, spread=2), id="people who are hard to tell apart"),
        pytest.param(*noise(2, 25, 100), id="noise"),
        pytest.param(*(rows.repeat(3, axis=0) for rows in people(3, 10, 30)), id="everything three times"),
        pytest.param(*(np.tile(rows, (2, 1)) for rows in (noise(4, 30, 1)[0],) * 2), id="queries are the gallery"),
        pytest.param(*(rows + 1000 for rows in people(5, 20, 100)), id="far away from zero"),
        pytest.param(*noise(6, 5, 15), id="k1 crops"),
        pytest.param(*noise(7, 2, 4), id="less than k2"),
        pytest.param(*noise(8, 1, 1), id="two crops"),
        pytest.param(*noise(9, 3, 40, width=1), id="one number"),
    ],
)
def test_definition_of_the_paper(query: np.ndarray, gallery: np.ndarray, normalise: bool, small_blocks: None) -> None:
    assert np.abs(reranked(query, gallery, normalise) - by_definition(query, gallery, normalise)).max() < 1e-6


@pytest.mark.parametrize("share", [0, 0.3, 1])
@pytest.mark.parametrize(("k1", "k2"), [(1, 1), (5, 1), (7, 3), (9, 12), (20, 6), (30, 2), (200, 6), (20, 200)])
def test_parameters(k1: int, k2: int, share: float, small_blocks: None) -> None:
    query, gallery = people(0, 15, 70, spread=1)
    have = reranked(query, gallery, parameters=Parameters(k1, k2, share))
    assert np.abs(have - by_definition(query, gallery, False, k1, k2, share)).max() < 1e-6


@pytest.mark.parametrize("values", [{"k1": 0}, {"k2": 0}, {"share": -0.1}, {"share": 1.1}, {"share": math.nan}])
def test_parameters_without_meaning(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(values))):
        Parameters(**values)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("value", [0, 0.1, 1e15])
def test_features_that_are_all_equal(value: float, normalise: bool, small_blocks: None) -> None:
    query, gallery = np.full((4, 3), value, np.float32), np.full((70, 3), value, np.float32)
    with np.errstate(all="raise"):
        have = reranked(query, gallery, normalise)
    zeros = np.zeros_like(query), np.zeros_like(gallery)
    assert np.abs(have - by_definition(*zeros, normalise=False)).max() < 1e-12


@pytest.mark.parametrize("count", [5, 60, 113])
def test_nearest_neighbours(count: int, small_blocks: None) -> None:
    points = np.concatenate(people(0, 20, 93))
    points -= points.mean(axis=0)
    have = nearest_neighbours(points, count)
    distances = ((points[:, None].astype(np.float64) - points) ** 2).sum(axis=2)
    want = np.argsort(distances, axis=1)[:, : count + 1]  # a crop is its own nearest
    assert np.array_equal(have.numbers, want)
    assert have.distances == pytest.approx(np.take_along_axis(distances, want, axis=1), rel=1e-5, abs=1e-4)
    assert have.farthest == pytest.approx(distances.max(axis=1), rel=1e-6)


@pytest.mark.parametrize("copies", [2, SPARE, 3 * SPARE])
def test_of_equal_crops_the_first_are_neighbours(copies: int, small_blocks: None) -> None:
    points = np.repeat(noise(0, 9, 1, width=64)[0], copies, axis=0)
    numbers = nearest_neighbours(points, 4).numbers
    groups = np.arange(len(points)) // copies * copies
    for own, first, have in zip(range(len(points)), groups, numbers, strict=True):
        equal = [own, *(i for i in range(first, first + copies) if i != own)][:5]
        assert have[: len(equal)].tolist() == equal


def test_neighbours_that_single_precision_cannot_tell_apart(small_blocks: None) -> None:
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((25, 64))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radii = 1 + 1e-7 * rng.permutation(25)
    around_zero = np.concatenate([np.zeros((1, 64)), directions * radii[:, None]])
    points = (around_zero + rng.standard_normal(64) / 8).astype(np.float32)
    distances = ((points[0].astype(np.float64) - points) ** 2).sum(axis=1)
    assert nearest_neighbours(points, 20).numbers[0].tolist() == np.argsort(distances)[:21].tolist()


def test_blocks_of_some_queries() -> None:
    query, gallery = noise(0, QUERY_BLOCK + 20, 50)
    reranking = Reranking(query, gallery, normalise=True)
    whole = [(start, block.copy()) for start, block in reranking.blocks()]
    assert [(start, block.shape) for start, block in whole] == [(0, (QUERY_BLOCK, 50)), (QUERY_BLOCK, (20, 50))]
    rows = np.concatenate([block for _, block in whole])
    numbers = [270, 3, 3, 0, 255]
    some = [(start, block.copy()) for start, block in reranking.blocks(numbers, block=2)]
    assert [start for start, _ in some] == [0, 2, 4]
    assert np.concatenate([block for _, block in some]) == pytest.approx(rows[numbers], abs=1e-12)
    assert list(reranking.blocks([])) == []


def test_no_queries() -> None:
    assert list(Reranking(np.empty((0, 0), np.float32), noise(0, 1, 5)[1], normalise=True).blocks()) == []


def test_the_features_are_not_changed() -> None:
    sides = people(0, 10, 40)
    copies = [side.copy() for side in sides]
    reranked(*sides, normalise=True)
    assert all(np.array_equal(a, b) for a, b in zip(copies, sides, strict=True))


def mean_ap(distances: np.ndarray, query: list[tuple[int, int]], gallery: list[tuple[int, int]]) -> float:
    """From (person, camera) of every crop, for distances without ties."""
    precisions = []
    for row, (person, camera) in zip(distances, query, strict=True):
        order = [gallery[j] for j in np.argsort(row) if gallery[j] != (person, camera)]
        hits = [rank for rank, (who, _) in enumerate(order, start=1) if who == person]
        precisions += [np.mean([count / rank for count, rank in enumerate(hits, start=1)])] if hits else []
    return float(np.mean(precisions))


def label(stem: str) -> tuple[int, int]:
    person, camera = stem.split("_")[:2]
    return int(person), int(camera[1])


@pytest.fixture
def stems(market: Path) -> list[list[str]]:
    """Queries, and gallery without junk."""
    folders = (market / "query", market / "bounding_box_test")
    return [sorted(path.name.split(".")[0] for path in folder.glob("[0-9]*.jpg")) for folder in folders]


def test_postprocess_reranks_without_junk_but_with_crops_of_the_same_camera(
    market: Path, tmp_path: Path, stems: list[list[str]], tiny_features: dict[str, np.ndarray], reid: Commands
) -> None:
    folder = tmp_path / "bs1"
    folder.mkdir()
    for stem, feature in tiny_features.items():
        feature.tofile(folder / f"{stem}_0.bin")
    words = ["--query_dir", market / "query", "--gallery_dir", market / "bounding_box_test", "--pred_dir", folder]
    done = reid("postprocess", *words, "--rerank", "--json", tmp_path / "metrics.json")
    assert done.code == 0, done.err
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    sides = [np.stack([tiny_features[stem] for stem in side]) for side in stems]
    want = mean_ap(by_definition(*sides, normalise=True), *([label(stem) for stem in side] for side in stems))
    assert metrics["mAP"] == pytest.approx(want, abs=1e-9)
    assert metrics["mAP"] != pytest.approx(0.2717542973130241, abs=0.001)  # without re-ranking
    assert (metrics["queries"], metrics["gallery"], metrics["rerank"]) == (9, 20, True)
    assert done.out.splitlines()[0] == f"mAP: {want:.1%}"
    assert len(done.out.splitlines()) == 4


@pytest.mark.parametrize("feat_norm", ["yes", "no"])
def test_run_and_the_way_by_files_rerank_alike(
    feat_norm: str, market: Path, tmp_path: Path, pooled: Path, reid: Commands
) -> None:
    words = ["--rerank", "--feat-norm", feat_norm, "--json"]
    for folder in ("query", "bounding_box_test"):
        assert reid("preprocess", market / folder, tmp_path / folder).code == 0
    for path in (tmp_path / "bounding_box_test").iterdir():
        path.rename(tmp_path / "query" / path.name)
    infer = ("--model", pooled, "--input", tmp_path / "query", "--output", tmp_path, "--output_dirname", "bs")
    assert reid("infer", *infer).code == 0
    sides = ["--query_dir", market / "query", "--gallery_dir", market / "bounding_box_test"]
    files = reid("postprocess", *sides, "--pred_dir", tmp_path / "bs", *words, tmp_path / "files.json")
    run = reid(
        "run", "--data", market, "--model", pooled, "--output", tmp_path / "report", *words, tmp_path / "run.json"
    )
    assert (files.code, run.code) == (0, 0), run.err
    assert (tmp_path / "run.json").read_text() == (tmp_path / "files.json").read_text()
    assert run.out.splitlines()[:4] == files.out.splitlines()


def test_the_report_shows_the_reranked_order_beside_reranked_numbers(
    market: Path,
    tmp_path: Path,
    stems: list[list[str]],
    pooled: Path,
    reid: Commands,
    report_of: Callable[[Path], dict[str, Any]],
) -> None:
    words = ("--data", market, "--model", pooled)
    assert reid("run", *words, "--output", tmp_path / "plain").code == 0
    assert reid("run", *words, "--output", tmp_path / "report", "--rerank").code == 0
    plain, report = report_of(tmp_path / "plain"), report_of(tmp_path / "report")
    assert "rerank" not in plain["metrics"]
    assert report["metrics"]["rerank"] is True
    assert report["metrics"]["mAP"] != plain["metrics"]["mAP"]
    assert report["reference"]["accuracy"]["upstream"] == {"mAP": 0.942, "rank1": 0.954}
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert f"| mAP | {report['metrics']['mAP']:.1%} | 94.2% |" in text
    assert "re-ranking: k1 20, k2 6, lambda 0.3" in text
    assert "| rerank |" not in text  # no number
    assert "re-ranking: k1" not in (tmp_path / "plain" / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("normalise", [True, False])
def test_the_evaluator_ranks_by_reranked_distances(normalise: bool) -> None:
    query, gallery = people(1, 12, 60, spread=2)
    rng = np.random.default_rng(0)
    crops = [
        Crop(Path(f"{split}{i}.jpg"), f"{split}{i}.jpg", int(person), int(camera), split, "")
        for split, count in (("query", 12), ("gallery", 60))
        for i, (person, camera) in enumerate(zip(rng.integers(0, 4, count), rng.integers(0, 3, count), strict=True))
    ]
    evaluator = RetrievalEvaluator(crops, normalise, max_rank=50, rerank=True)
    for crop, feature in zip(crops, np.concatenate([query, gallery]), strict=True):
        fields = {"split": crop.split, "person": crop.person, "camera": crop.camera}
        evaluator.update(SampleInfo(crop.stem, crop.source, fields), (feature[None],))
    evaluator.result()
    distances = by_definition(query, gallery, normalise)
    for ranked, number in zip(evaluator.ranked([7, 2], 20), [7, 2], strict=True):
        own = crops[number]
        counts = [
            j
            for j in np.argsort(distances[number])
            if (crops[12 + j].person, crops[12 + j].camera) != (own.person, own.camera)
        ]
        assert ranked.source == own.source
        assert ranked.answers == [crops[12 + j].source for j in counts[:20]]
