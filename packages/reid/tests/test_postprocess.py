"""Result folders to metrics by the command: the recorded small data set, and results that do not fit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished

Postprocess = Callable[..., Finished]


@pytest.fixture(scope="module")
def recorded(golden: Path) -> dict[str, Any]:
    """mAP and CMC of the small data set."""
    results = json.loads((golden / "metrics.json").read_text())["results"]
    return results["tiny dataset end to end, feat_after, feat_norm=yes"]


@pytest.fixture
def results(tmp_path: Path, tiny_features: dict[str, np.ndarray]) -> Path:
    """The golden features of the small data set as a result folder."""
    folder = tmp_path / "bs1"
    folder.mkdir()
    for stem, feature in tiny_features.items():
        feature.tofile(folder / f"{stem}_0.bin")
    return folder


@pytest.fixture
def postprocess(market: Path, results: Path, reid: Callable[..., Finished]) -> Postprocess:
    """Run the guide's postprocess on these results."""
    folders = [f"--query_dir={market / 'query'}", f"--gallery_dir={market / 'bounding_box_test'}"]
    return lambda *words: reid("postprocess", *folders, f"--pred_dir={results}", *words)


def test_metrics_of_the_small_data_set(postprocess: Postprocess, recorded: dict[str, Any], tmp_path: Path) -> None:
    done = postprocess("--json", tmp_path / "metrics.json")
    assert done.code == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert list(metrics)[:5] == ["mAP", "rank1", "rank5", "rank10", "cmc"]
    assert metrics["mAP"] == pytest.approx(recorded["mAP"], abs=1e-9, rel=0)
    assert metrics["cmc"] == pytest.approx(recorded["cmc"], abs=1e-7, rel=0)
    assert [metrics[f"rank{rank}"] for rank in (1, 5, 10)] == [0.125, 0.625, 1]
    assert (metrics["queries"], metrics["gallery"]) == (9, 20)
    assert metrics["queries_without_match"] == 1


def test_lines_of_the_published_script(postprocess: Postprocess) -> None:
    done = postprocess()
    assert done.out.splitlines() == [
        "mAP: 27.2%",
        "CMC curve, Rank-1  :12.5%",
        "CMC curve, Rank-5  :62.5%",
        "CMC curve, Rank-10 :100.0%",
    ]
    assert done.err == "note: 1 of 9 queries have no match and do not count\n"


@pytest.mark.parametrize("max_rank", [1, 3, 7])
def test_max_rank_shortens_the_curve_and_nothing_else(
    max_rank: int, postprocess: Postprocess, recorded: dict[str, Any], tmp_path: Path
) -> None:
    whole = postprocess()
    short = postprocess("--max-rank", max_rank, "--json", tmp_path / "metrics.json")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["cmc"] == pytest.approx(recorded["cmc"][:max_rank], abs=1e-7)
    assert [metrics[f"rank{rank}"] for rank in (1, 5, 10)] == [0.125, 0.625, 1]
    assert short.out == whole.out


def test_feat_norm_no_ranks_by_plain_distance(
    postprocess: Postprocess, results: Path, tiny_features: dict[str, np.ndarray], tmp_path: Path
) -> None:
    longer = {stem: feature * (1 + i % 3) for i, (stem, feature) in enumerate(sorted(tiny_features.items()))}
    for stem, feature in longer.items():
        feature.tofile(results / f"{stem}_0.bin")
    metrics = {}
    for feat_norm in ("yes", "no"):
        assert postprocess("--feat-norm", feat_norm, "--json", tmp_path / "metrics.json").code == 0
        metrics[feat_norm] = json.loads((tmp_path / "metrics.json").read_text())["mAP"]
    assert metrics["yes"] == pytest.approx(0.2717542973130241, abs=1e-9)  # length does not matter
    assert metrics["no"] == pytest.approx(mean_ap_by_distance(longer), abs=1e-9)
    assert metrics["no"] != pytest.approx(metrics["yes"], abs=0.01)


def mean_ap_by_distance(features: dict[str, np.ndarray]) -> float:
    """mAP of the small data set, from names and double precision distances. Queries are those numbered _00 or _03."""
    rows = [(int(stem.split("_c")[0]), stem.split("_c")[1][0], stem, feature) for stem, feature in features.items()]
    names = {"0002_c1s1_000451_03"} | {
        stem for stem in features if stem.endswith("_00") and not stem.startswith("0000")
    }
    assert len(names) == 9
    precisions = []
    for person, camera, _, query in (row for row in rows if row[2] in names):
        others = [row for row in rows if row[2] not in names and row[0] != -1 and row[:2] != (person, camera)]
        order = sorted(
            (float(np.sum((query.astype(float) - other) ** 2)), who == person) for who, _, _, other in others
        )
        hits = [rank for rank, (_, match) in enumerate(order, start=1) if match]
        precisions += [sum(n / rank for n, rank in enumerate(hits, start=1)) / len(hits)] if hits else []
    return sum(precisions) / len(precisions)


def test_no_query_with_a_match(postprocess: Postprocess, market: Path, results: Path, tmp_path: Path) -> None:
    for path in (market / "query").glob("*.jpg"):
        if not path.name.startswith("0900"):
            path.unlink()
            (results / f"{path.name.split('.')[0]}_0.bin").unlink()
    done = postprocess("--json", tmp_path / "metrics.json")
    assert done.code == 1
    assert "none of the 1 queries has a match" in done.error
    assert done.hint
    assert done.out == ""
    assert not (tmp_path / "metrics.json").exists()


def test_a_missing_result_is_named(postprocess: Postprocess, results: Path, market: Path) -> None:
    (results / "0777_c3s1_000170_01_0.bin").unlink()
    (results / "1501_c1s6_016446_02_0.bin").unlink()
    done = postprocess()
    assert done.code == 1
    assert f"{results} has no result for 2 of 32 images" in done.error
    first = f"0777_c3s1_000170_01_0.bin of {market / 'bounding_box_test' / '0777_c3s1_000170_01.jpg'}"
    assert f"the first is {first}" in done.error


def test_a_result_too_many_is_named(postprocess: Postprocess, results: Path) -> None:
    shutil.copy(results / "0777_c3s1_000170_01_0.bin", results / "4711_c1s1_000000_00_0.bin")
    done = postprocess()
    assert done.code == 1
    assert "1 of 33 results belong to none of the 32 images" in done.error
    assert str(results / "4711_c1s1_000000_00_0.bin") in done.error


@pytest.mark.parametrize("numbers", [2047, 2049, 0, 1024])
def test_a_result_of_the_wrong_size_is_named(numbers: int, postprocess: Postprocess, results: Path) -> None:
    wrong = results / "0777_c3s1_000170_01_0.bin"
    wrong.write_bytes(bytes(4 * numbers))
    done = postprocess()
    assert done.code == 1
    assert f"{wrong} has {4 * numbers} bytes" in done.error
    assert "(8192 bytes)" in done.error


@pytest.mark.parametrize("size", [0, 8191])
def test_results_that_are_all_of_a_wrong_size(size: int, postprocess: Postprocess, results: Path) -> None:
    for path in results.iterdir():
        path.write_bytes(bytes(size))
    done = postprocess()
    assert done.code == 1
    assert f"has {size} bytes" in done.error


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("stem", ["0001_c1s1_001051_00", "0002_c6s1_015501_01"])
def test_a_feature_that_is_not_finite_is_named(
    stem: str, value: float, postprocess: Postprocess, results: Path, tiny_features: dict[str, np.ndarray]
) -> None:
    feature = tiny_features[stem].copy()
    feature[1234] = value
    feature.tofile(results / f"{stem}_0.bin")
    done = postprocess()
    assert done.code == 1
    assert str(results / f"{stem}_0.bin") in done.error
    assert "not finite" in done.error


@pytest.mark.parametrize(
    ("flag", "what"), [("--query_dir", "query"), ("--gallery_dir", "gallery"), ("--pred_dir", "result")]
)
def test_a_missing_folder_is_named_with_its_neighbour(
    flag: str, what: str, postprocess: Postprocess, market: Path
) -> None:
    (market / "querys").mkdir()
    done = postprocess(f"{flag}={market / 'querry'}")
    assert done.code == 1
    assert done.error == f"no such {what} folder: {market / 'querry'}"
    assert done.hint == f"did you mean {market / 'query'}?"


def test_a_result_folder_without_results(postprocess: Postprocess, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = postprocess(f"--pred_dir={tmp_path / 'empty'}")
    assert done.code == 1
    assert str(tmp_path / "empty") in done.error


@pytest.mark.parametrize("suffix", [".npy", ".txt"])
def test_results_of_another_format_are_not_taken_for_numbers(
    suffix: str, postprocess: Postprocess, results: Path, tiny_features: dict[str, np.ndarray]
) -> None:
    """What infer writes with --outfmt NPY and TXT."""
    for path in results.iterdir():
        path.unlink()
    for stem, feature in tiny_features.items():
        if suffix == ".npy":
            np.save(results / f"{stem}_0.npy", feature[None])
        else:
            (results / f"{stem}_0.txt").write_text("0.50000 " * 2048)
    done = postprocess()
    assert done.code == 1
    assert str(results) in done.error
    assert done.out == ""


def test_a_name_without_person_id(postprocess: Postprocess, market: Path) -> None:
    (market / "query" / "0001_c1s1_001051_00.jpg").rename(market / "query" / "somebody.jpg")
    done = postprocess()
    assert done.code == 1
    assert str(market / "query" / "somebody.jpg") in done.error
    assert "0002_c1s1_000451_03" in done.hint


def test_a_folder_above_that_looks_like_a_person_does_not_count(
    market: Path, results: Path, reid: Callable[..., Finished]
) -> None:
    moved = market.rename(market.with_name("7_c1"))
    done = reid(
        "postprocess",
        "--query_dir",
        moved / "query",
        "--gallery_dir",
        moved / "bounding_box_test",
        "--pred_dir",
        results,
    )
    assert done.out.splitlines()[0] == "mAP: 27.2%"


def test_the_same_image_in_both_folders_may_share_a_result(
    postprocess: Postprocess, market: Path, tmp_path: Path, recorded: dict[str, Any]
) -> None:
    name = "0001_c1s1_001051_00.jpg"  # same person and same camera as its query: ignored there, a match for others
    shutil.copy(market / "query" / name, market / "bounding_box_test" / name)
    assert postprocess("--json", tmp_path / "metrics.json").code == 0
    assert json.loads((tmp_path / "metrics.json").read_text())["gallery"] == 21


def test_different_images_of_one_name_are_both_named(postprocess: Postprocess, market: Path) -> None:
    name = "0001_c1s1_001051_00.jpg"
    shutil.copy(market / "query" / "0900_c2s1_000001_00.jpg", market / "bounding_box_test" / name)
    done = postprocess()
    assert done.code == 1
    assert str(market / "query" / name) in done.error
    assert str(market / "bounding_box_test" / name) in done.error
    assert "reid run" in done.hint


@pytest.mark.parametrize(
    ("content", "word"),
    [("{", "is not an index"), ("[]", "is not an index"), ('{"complete": true}', "is not an index")],
)
def test_an_index_that_is_none(content: str, word: str, postprocess: Postprocess, tmp_path: Path) -> None:
    (tmp_path / "some_index.json").write_text(content)
    done = postprocess("--index", tmp_path / "some_index.json")
    assert done.code == 1
    assert f"{tmp_path / 'some_index.json'} {word}" in done.error


def test_metrics_file_that_cannot_be_written(postprocess: Postprocess, tmp_path: Path) -> None:
    done = postprocess("--json", tmp_path / "missing" / "metrics.json")
    assert done.code == 1
    assert str(tmp_path / "missing" / "metrics.json") in done.error
    assert done.out.startswith("mAP: 27.2%")


@pytest.mark.parametrize("size", [1e19, 1e30])
@pytest.mark.parametrize("feat_norm", ["yes", "no"])
def test_features_that_overflow_are_named(size: float, feat_norm: str, postprocess: Postprocess, results: Path) -> None:
    for path in results.glob("*_0.bin"):
        (np.fromfile(path, np.float32) * np.float32(size)).tofile(path)
    done = postprocess("--feat-norm", feat_norm)
    assert done.code == 1
    assert "too large" in done.error
    assert ".bin" in done.error


FOUND = "0001_c1s1_001051_00"
"""A query whose result is there: to skip it is seen."""


@pytest.fixture
def write_index_file(postprocess: Postprocess, results: Path) -> Callable[..., Path]:
    """Write an index, of a finished run that skipped one image and its result unless told otherwise."""

    def write(folder: Path, skipped: str = FOUND, **more: Any) -> Path:
        folder.parent.mkdir(parents=True, exist_ok=True)
        (results / f"{skipped}_0.bin").unlink(missing_ok=True)
        rows = [{"source": f"{skipped}.jpg", "reason": "damaged"}]
        content = {"model": "reid", "version": "1", "inputs": [], "complete": True, "samples": [], "skipped": rows}
        path = folder.with_name(f"{folder.name}_index.json")
        path.write_text(json.dumps({**content, **more}))
        return path

    return write


@pytest.fixture
def put_results(results: Path, write_index_file: Any) -> Callable[[str, Path], Path]:
    """Move the results, with a summary that calls them by a name and has inputs in `q`, which gets an index."""

    def put(prefix: str, real: Path) -> Path:
        index = write_index_file(real.parents[prefix.strip("./").count("/")] / "q")
        real.parent.mkdir(exist_ok=True)
        shutil.move(results, real)
        row = {"infiles": [f"./q/{FOUND}.bin"], "outfiles": [f"{prefix}/{FOUND}_0.bin"]}
        real.with_name(f"{real.name}_summary.json").write_text(json.dumps({"filesinfo": {"0": row}}))
        return Path(index)

    return put


@pytest.mark.parametrize("prefix", ["out/bs1", "./out/bs1", "./bs1"])
def test_the_index_is_found_from_where_infer_was_run(
    prefix: str, postprocess: Postprocess, tmp_path: Path, put_results: Any, write_index_file: Any, monkeypatch: Any
) -> None:
    """The summary's names are relative to a folder that follows from its names of the results."""
    real = tmp_path / "there" / prefix
    index = put_results(prefix, real)
    foreign = write_index_file(tmp_path / "cwd" / "q", complete=False)
    for folder, given in ((foreign.parent, real), (real.parent, real.name), (real, ".")):
        monkeypatch.chdir(folder)
        done = postprocess(f"--pred_dir={given}")
        assert done.code == 0, done.err
        assert f"index: {index}\n" in done.err


def test_the_index_of_results_that_were_moved_is_sought_in_the_working_directory(
    postprocess: Postprocess, tmp_path: Path, put_results: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = put_results("bs1", tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    assert f"index: {index}\n" in postprocess("--pred_dir=moved").err


def test_indices_of_repeated_flags_are_all_used(
    postprocess: Postprocess, tmp_path: Path, write_index_file: Any
) -> None:
    stems = (FOUND, "0777_c3s1_000170_01")
    first, second = (write_index_file(tmp_path / name, stem) for name, stem in zip("ab", stems, strict=True))
    done = postprocess("--index", first, "--index", second)
    assert done.code == 0, done.err
    assert "note: 2 images were skipped by preprocess" in done.err


def test_what_is_missing_hints_at_the_index(postprocess: Postprocess, results: Path) -> None:
    (results / f"{FOUND}_0.bin").unlink()
    assert "--index Q_index.json G_index.json" in postprocess().hint


def test_an_index_of_another_model_is_refused(postprocess: Postprocess, tmp_path: Path, write_index_file: Any) -> None:
    path = write_index_file(tmp_path / "q", model="gait")
    done = postprocess("--index", path)
    assert done.code == 1
    assert f"{path} is an index of the model gait, not of reid" in done.error


@pytest.mark.parametrize("text", ['{"0": {}}', '{"0": 5}', '{"0": [1]}', '{"0": null}', "[" * 200_000])
def test_a_summary_that_is_none(text: str, postprocess: Postprocess, results: Path) -> None:
    path = results.with_name("bs1_summary.json")
    path.write_text(f'{{"filesinfo": {text}}}')
    done = postprocess()
    assert done.code == 1
    assert f"{path} is not a summary" in done.error


@pytest.mark.parametrize("file", ["/x.bin", "x.bin", "", "..", "a\0b/x.bin"])
def test_odd_inputs_of_a_summary_have_no_index(file: str, postprocess: Postprocess, results: Path) -> None:
    row = {"infiles": [file], "outfiles": []}
    results.with_name("bs1_summary.json").write_text(json.dumps({"filesinfo": {"0": row}}))
    done = postprocess()
    assert (done.code, "index:" in done.err) == (0, False)


def test_skipped_images_of_a_merged_folder_are_known_from_both_indices(
    market: Path, tmp_path: Path, reid: Callable[..., Finished], pooled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guide moves the gallery's files to the query's: the summary names one folder only."""
    monkeypatch.chdir(tmp_path)
    for folder, name in (("query", "q"), ("bounding_box_test", "g")):
        images = sorted((market / folder).glob("0*_c*.jpg"))
        images[-1].write_bytes(b"damaged")
        reid("preprocess", market / folder, name, "--on-error", "skip")
    for path in Path("g").iterdir():
        path.rename(Path("q") / path.name)
    words = ("--model", pooled, "--input", "q", "--output", ".", "--output_dirname", "r")
    assert reid("infer", *words).code == 0
    folders = [f"--query_dir={market / 'query'}", f"--gallery_dir={market / 'bounding_box_test'}", "--pred_dir=r"]
    done = reid("postprocess", *folders)
    assert done.code == 1
    assert "no result for 1 of" in done.error
    assert "--index Q_index.json G_index.json" in done.hint
    assert reid("postprocess", *folders, "--index", "q_index.json", "g_index.json").code == 0
