"""Cross-view rank-k: recordings of the original evaluation, cases by hand, and a second implementation."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from modelzoo.gaitset.metrics import CONDITIONS, GALLERY, PROBE_BLOCK, RANKS, VIEWS, CrossView, Labels, cross_view

Row = tuple[str, str, str]
"""Subject, condition and view of a walk."""


def compare(features: np.ndarray, rows: Sequence[Row]) -> CrossView:
    return cross_view(features, Labels(*(list(column) for column in zip(*rows, strict=True))))


def by_hand(values: dict[Row, float]) -> CrossView:
    """Walks with features of one number."""
    return compare(np.array(list(values.values()), np.float32)[:, None], list(values))


def naive(features: np.ndarray, rows: Sequence[Row], views: Sequence[str]) -> np.ndarray:
    """The cells: sorted lists in double precision, straight from the definition."""
    conditions = [("nm-05", "nm-06"), ("bg-01", "bg-02"), ("cl-01", "cl-02")]
    hits = np.zeros((3, len(views), len(views), 5))
    probes = np.zeros((3, len(views), 1, 1))
    galleries = [
        [n for n, row in enumerate(rows) if row[2] == view and row[1] in ("nm-01", "nm-02", "nm-03", "nm-04")]
        for view in views
    ]
    for feature, (subject, kind, view) in zip(features.astype(float), rows, strict=True):
        for c in [c for c, sequences in enumerate(conditions) if kind in sequences]:
            probes[c, views.index(view)] += 1
            distances = ((features - feature) ** 2).sum(1).tolist()
            for j, gallery in enumerate(galleries):
                # False sorts before True: at one distance the walks of other subjects come first.
                ranking = sorted((distances[g], rows[g][0] == subject) for g in gallery)
                for k in range(5):
                    hits[c, views.index(view), j, k] += any(same for _, same in ranking[: k + 1])
    cells = np.full(hits.shape, np.nan)
    for j, gallery in enumerate(galleries):
        for k in range(min(5, len(gallery))):
            cells[:, :, j, k] = np.where(probes > 0, 100 * hits / np.maximum(probes, 1), np.nan)[:, :, j, k]
    return np.round(cells, 2)


def walks(subjects: int, views: Sequence[str]) -> list[Row]:
    sequences = [*GALLERY, *(sequence for pair in CONDITIONS.values() for sequence in pair)]
    return [(f"{s:03d}", sequence, view) for s in range(subjects) for sequence in sequences for view in views]


@pytest.fixture(scope="module")
def recorded(golden: Path) -> dict[str, np.ndarray]:
    return dict(np.load(golden / "metrics.npz"))


@pytest.fixture(scope="module")
def rows(recorded: dict[str, np.ndarray]) -> list[Row]:
    labels = (recorded[name].tolist() for name in ("subject", "type", "view"))
    return list(zip(*labels, strict=True))


@pytest.fixture(scope="module")
def means(golden: Path) -> dict[str, dict[str, list[float]]]:
    return json.loads((golden / "metrics.json").read_text())


def test_recorded_cells(recorded: dict[str, np.ndarray], rows: list[Row]) -> None:
    table = compare(recorded["features"], rows)
    assert table.views == VIEWS
    assert np.array_equal(table.cells, recorded["acc"])
    assert table.gallery.tolist() == [48, 48, 48, 47, 48, 48, 48, 48, 48, 48, 48]
    assert (table.probes.sum(), table.unmatched) == (12 * 6 * 11 - 2, 0)  # two of the three missing walks


def test_recorded_means(
    recorded: dict[str, np.ndarray], rows: list[Row], means: dict[str, dict[str, list[float]]]
) -> None:
    table = compare(recorded["features"], rows)
    for i, condition in enumerate(CONDITIONS):
        assert table.included()[i] == pytest.approx(means["include_identical_view"][condition], abs=1e-9, rel=0)
        assert table.excluded()[i] == pytest.approx(means["exclude_identical_view"][condition], abs=1e-9, rel=0)
        by_view = means["rank1_each_probe_angle_excluding_identical"][condition]
        assert table.by_probe_view()[i, :, 0] == pytest.approx(by_view, abs=1e-9, rel=0)


def test_the_order_of_arrival_does_not_matter(recorded: dict[str, np.ndarray], rows: list[Row]) -> None:
    order = np.random.default_rng(0).permutation(len(rows))
    table = compare(recorded["features"][order], [rows[i] for i in order])
    assert np.array_equal(table.cells, recorded["acc"])


def test_products_of_matrices_do_not_depend_on_the_order_of_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where two distances are almost equal, rounding decides, and that may depend on the place in a matrix."""
    seen: list[np.ndarray] = []

    class Matrix(np.ndarray):
        def __matmul__(self, other: np.ndarray) -> np.ndarray:
            seen.append(np.concatenate([self, other.T]).view(np.ndarray))
            return np.asarray(self) @ np.asarray(other)

    rows = walks(3, ["000", "090"])
    features = np.random.default_rng(0).standard_normal((len(rows), 4)).astype(np.float32)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(rows))
        compare(features[order].view(Matrix), [rows[i] for i in order])
    assert len(seen) == 3
    assert all(np.array_equal(matrices, seen[0]) for matrices in seen)


def test_more_probes_than_a_block(
    recorded: dict[str, np.ndarray], rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sum(kind not in GALLERY for _, kind, _ in rows) < PROBE_BLOCK
    monkeypatch.setattr("modelzoo.gaitset.metrics.PROBE_BLOCK", 97)
    assert np.array_equal(compare(recorded["features"], rows).cells, recorded["acc"])


def test_two_subjects_by_hand() -> None:
    table = by_hand(
        {
            ("a", "nm-01", "000"): 0.0,
            ("a", "nm-02", "000"): 9.0,
            ("b", "nm-01", "000"): 5.0,
            ("b", "nm-02", "000"): 6.0,
            ("b", "nm-03", "090"): 1.0,
            # In view 000: 0 (a), 5 (b), 6 (b), 9 (a). In view 090 only b.
            ("a", "nm-05", "000"): 1.0,  # a is first in view 000, and in view 090 not at all
            ("a", "nm-06", "000"): 7.0,  # b, b or a at one distance (5 and 9), a third
            ("b", "bg-01", "090"): 8.0,  # a (9), b (6)
            ("b", "cl-01", "090"): 4.0,  # b
            ("b", "nm-07", "090"): 0.0,  # no sequence of the protocol
        }
    )
    assert table.gallery.tolist() == [4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert table.probes.tolist() == [[2, *[0] * 10], [0] * 5 + [1] + [0] * 5, [0] * 5 + [1] + [0] * 5]
    nan = np.nan
    expected = np.full((3, 11, 11, 5), nan)
    expected[0, 0, 0] = [50, 50, 100, 100, nan]
    expected[0, 0, 5] = [0, nan, nan, nan, nan]
    expected[1, 5, 0] = [0, 100, 100, 100, nan]
    expected[1, 5, 5] = [100, nan, nan, nan, nan]
    expected[2, 5, 0] = [100, 100, 100, 100, nan]
    expected[2, 5, 5] = [100, nan, nan, nan, nan]
    assert np.array_equal(table.cells, expected, equal_nan=True)
    assert table.included()[:, 0].tolist() == [25, 50, 100]
    assert table.excluded()[:, 0].tolist() == [0, 0, 100]
    assert table.unmatched == 2  # both probes of a, in view 090


def test_the_published_means_by_hand() -> None:
    """Excluding is a mean over the probe views of means over the other gallery views, not over all such cells."""
    nan = np.nan
    rank1 = np.array([[10, 20, nan], [30, 40, nan], [50, 60, 70]], float)
    cells = np.full((3, 3, 3, 5), nan)
    cells[0, :, :, 0] = rank1
    table = CrossView(("000", "090", "180"), cells, np.ones((3, 3), int), np.ones(3, int), 0)
    assert table.included()[0, 0] == pytest.approx((10 + 20 + 30 + 40 + 50 + 60 + 70) / 7)
    assert table.by_probe_view()[0, :, 0].tolist() == [20, 30, 55]
    assert table.excluded()[0, 0] == pytest.approx((20 + 30 + 55) / 3)
    assert np.isnan(table.included()[1:]).all()
    assert np.isnan(table.excluded()[1:]).all()


def test_features_that_are_all_equal_are_never_right() -> None:
    rows = walks(3, ["000", "090"])
    table = compare(np.full((len(rows), 7), 2.0, np.float32), rows)
    here = table.cells[:, [0, 5]][:, :, [0, 5]]
    assert (here == 0).all()


def test_at_one_distance_other_subjects_rank_first() -> None:
    values = {("a", "nm-05", "000"): 0.0, ("a", "nm-01", "000"): 1.0, ("b", "nm-01", "000"): -1.0}
    assert by_hand(values).cells[0, 0, 0, :2].tolist() == [0, 100]
    values["b", "nm-01", "000"] = -1.001
    assert by_hand(values).cells[0, 0, 0, :2].tolist() == [100, 100]


@pytest.mark.parametrize("seed", range(8))
def test_second_implementation_with_many_ties_and_missing_walks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    views = ["000", "018", "180"]
    rows = [row for row in walks(3, views) if rng.random() < (0.3, 0.6, 0.9, 1)[seed % 4]]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    features = rng.integers(-2, 3, (len(rows), 3)).astype(np.float32)  # every distance is exact in float32
    table = compare(features, rows)
    assert np.array_equal(table.cells, naive(features, rows, VIEWS), equal_nan=True)


@pytest.mark.parametrize("closeness", [0.0, 0.5, 3.0])
def test_second_implementation_on_real_numbers(closeness: float) -> None:
    rng = np.random.default_rng(1)
    rows = walks(5, ["030", "060"])
    centres = {f"{s:03d}": closeness * rng.standard_normal(16) for s in range(5)}
    features = np.array([centres[subject] + rng.standard_normal(16) for subject, *_ in rows], np.float32)
    table = compare(features, rows)
    assert table.views == ("030", "060")
    assert np.array_equal(table.cells, naive(features, rows, table.views), equal_nan=True)


PARTIAL: dict[str, tuple[Callable[[Row], bool], int]] = {
    "a view without any walk": (lambda row: row[2] != "036", 300),
    "a view without gallery": (lambda row: row[2] != "036" or row[1] not in GALLERY, 330),
    "a view without probes": (lambda row: row[2] != "036" or row[1] in GALLERY, 330),
    "one condition": (lambda row: row[1].startswith("nm"), 121),
    "two subjects": (lambda row: row[0] in ("075", "076"), 363),
    "one subject": (lambda row: row[0] == "075", 363),
    "a gallery of four walks": (lambda row: row[0] == "075" or row[1] not in GALLERY, 363),
    "one gallery walk": (lambda row: row[1] not in GALLERY or row == ("077", "nm-02", "090"), 33),
    "one view": (lambda row: row[2] == "090", 3),
}
"""What is there, and how many cells of rank-1 that makes."""


@pytest.mark.parametrize("what", PARTIAL)
def test_cells_of_a_partial_data_set(what: str, recorded: dict[str, np.ndarray], rows: list[Row]) -> None:
    there, count = PARTIAL[what]
    kept = [i for i, row in enumerate(rows) if there(row)]
    table = compare(recorded["features"][kept], [rows[i] for i in kept])
    expected = naive(recorded["features"][kept], [rows[i] for i in kept], VIEWS)
    assert np.array_equal(table.cells, expected, equal_nan=True)
    assert np.count_nonzero(~np.isnan(table.cells[..., 0])) == count


def test_cells_that_a_missing_view_leaves_are_the_recorded_ones(
    recorded: dict[str, np.ndarray], rows: list[Row]
) -> None:
    kept = [i for i, row in enumerate(rows) if row[2] not in ("036", "162")]
    table = compare(recorded["features"][kept], [rows[i] for i in kept])
    left = [i for i, view in enumerate(VIEWS) if view not in ("036", "162")]
    assert np.array_equal(table.cells[:, left][:, :, left], recorded["acc"][:, left][:, :, left])
    assert np.count_nonzero(np.isnan(table.cells)) == 3 * (121 - 81) * RANKS
    rank1 = recorded["acc"][:, left][:, :, left][..., 0]
    off_diagonal = [[[row[j] for j in range(9) if j != i] for i, row in enumerate(cells)] for cells in rank1.tolist()]
    assert table.included()[:, 0] == pytest.approx(rank1.mean((1, 2)), abs=1e-9)
    assert table.excluded()[:, 0] == pytest.approx(np.mean(off_diagonal, axis=(1, 2)), abs=1e-9)


def test_features_of_the_published_length_and_size() -> None:
    """Sums of 15872 squares in float32: large, close together, and still in the right order."""
    rng = np.random.default_rng(0)
    rows = walks(4, ["000"])
    centres = {f"{s:03d}": rng.standard_normal(62 * 256) * 5 for s in range(4)}
    features = np.array([centres[subject] + rng.standard_normal(62 * 256) * 9 for subject, *_ in rows], np.float32)
    table = compare(features, rows)
    assert np.array_equal(table.cells, naive(features, rows, VIEWS), equal_nan=True)
