"""Result folders to metrics by the command: the recorded small data set, and results that do not fit."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelzoo.common.testing.plugin import Finished

Postprocess = Callable[..., Finished]

WALKS = [
    "075/nm-01/000",
    "075/nm-01/090",
    "075/nm-05/090",
    "076/bg-01/018",
    "076/cl-02/180",
    "077/nm-05/036",
    "077/nm-06/036",
    "078/cl-01/126",
    "078/nm-02/054",
    "078/nm-06/162",
]
"""The walks of the recorded features, by number."""

LINES = [
    "===Rank-1 (Include identical-view cases)===",
    "NM: 33.333,\tBG: 0.000,\tCL: 16.667",
    "===Rank-1 (Exclude identical-view cases)===",
    "NM: 27.778,\tBG: 0.000,\tCL: 16.667",
]
"""By hand: every gallery view (000, 090: subject 075; 054: subject 078) holds one walk, so that labels decide.

NM at 036 (077): no cell is right; at 090 (075): the views 000 and 090; at 162 (078): the view 054; so 3 of 9 cells.
Without identical views: 0, 1/2 and 1/3. BG (076): none. CL at 126 (078): 1 of 3; at 180 (076): none.
"""


@pytest.fixture
def results(tmp_path: Path, golden: Path) -> Path:
    """The recorded features as a result folder."""
    folder = tmp_path / "result"
    folder.mkdir()
    for number, feature in enumerate(np.load(golden / "tiny_features.npz")["features"]):
        feature.tofile(folder / f"{number:04d}_0.bin")
    return folder


@pytest.fixture
def write_index(tmp_path: Path) -> Callable[..., Path]:
    """Write an index of the recorded walks beside a folder, or with something changed."""

    def write(name: str = "bins", walks: Any = WALKS, **more: Any) -> Path:
        parts = [walk.split("/") for walk in walks]
        samples = [
            {"stem": f"{i:04d}", "source": "/".join(part), "subject": part[0], "condition": part[1], "view": part[2]}
            for i, part in enumerate(parts)
        ]
        content = {"model": "gaitset", "version": "1", "inputs": [], "complete": True, "samples": samples}
        path = tmp_path / f"{name}_index.json"
        path.write_text(json.dumps({**content, "skipped": [], **more}))
        return path

    return write


@pytest.fixture
def predata(tmp_path: Path) -> Path:
    """A tree as step 1 leaves it: the recorded walks and 74 subjects before them, with a frame that is not read."""
    root = tmp_path / "predata"
    training = [f"{subject:03d}/nm-01/000" for subject in range(1, 75)]
    for walk in [*training, *WALKS]:
        (root / walk).mkdir(parents=True)
        (root / walk / "frame.png").touch()
    (root / "077/bg-02/036").mkdir(parents=True)  # step 1 leaves it empty; it has no number
    return root


@pytest.fixture
def postprocess(results: Path, gaitset: Callable[..., Finished]) -> Postprocess:
    return lambda *words: gaitset("postprocess", f"--output_path={results}", *words)


def test_metrics_by_the_index_that_is_given(postprocess: Postprocess, write_index: Any, tmp_path: Path) -> None:
    index = write_index()
    done = postprocess("--index", index, "--json", tmp_path / "metrics.json")
    assert (done.code, done.out.splitlines()) == (0, LINES)
    assert f"index: {index}\n" in done.err
    assert "note: the means are over the 18 of 363 cells that exist" in done.err
    assert "note: 17 times a probe's subject is not in the gallery of a view" in done.err
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["NM"] == {"include": pytest.approx(100 / 3), "exclude": pytest.approx(250 / 9)}
    assert metrics["cells"]["NM"][5] == [100, None, None, 0, None, 100, *[None] * 5]
    assert metrics["missing"]["gallery"] == ["018", "036", "072", "108", "126", "144", "162", "180"]
    assert (metrics["subjects"], metrics["sequences"]) == (4, 10)


def test_features_decide_who_is_nearest(postprocess: Postprocess, write_index: Any, golden: Path) -> None:
    """Walks with other names: 077's three are alike, and so are 075's; distances in double precision."""
    walks = [
        "a/nm-01/000", "a/bg-01/000", "a/nm-05/000", "b/nm-01/000", "b/cl-01/000",
        "c/nm-01/000", "c/nm-05/000", "d/cl-01/000", "d/nm-02/000", "d/nm-06/000",
    ]  # fmt: skip
    features = np.load(golden / "tiny_features.npz")["features"].reshape(10, -1).astype(float)
    gallery = [0, 3, 5, 8]
    right = [
        min(gallery, key=lambda other: float(((features[probe] - features[other]) ** 2).sum())) == own
        for probe, own in ((2, 0), (6, 5), (9, 8), (1, 0), (4, 3), (7, 8))
    ]
    assert 0 < sum(right) < 6
    expected = [f"{100 * sum(part) / len(part):.2f}0" for part in (right[:3], right[3:4], right[4:])]
    done = postprocess("--index", write_index(walks=walks))
    assert done.out.splitlines()[1] == "NM: {},\tBG: {},\tCL: {}".format(*expected)


def test_metrics_by_the_listing_of_the_guide(
    postprocess: Postprocess, predata: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(predata.parent)
    done = postprocess()
    assert (done.code, done.out.splitlines()) == (0, LINES)
    assert "walks: as they are listed in predata\n" in done.err
    assert "077/bg-02/036" in done.err


def test_metrics_by_the_listing_of_another_folder(postprocess: Postprocess, predata: Path) -> None:
    moved = predata.rename(predata.with_name("aligned"))
    done = postprocess("--data_path", moved)
    assert (done.code, done.out.splitlines()) == (0, LINES)


def test_pid_num_says_who_is_tested(postprocess: Postprocess, predata: Path, results: Path) -> None:
    shutil.rmtree(predata / "074")
    shutil.rmtree(predata / "073")  # of 76 subjects and the incomplete one, the last four are those after 71
    done = postprocess("--data_path", predata, "--pid_num", 71)
    assert (done.code, done.out.splitlines()) == (0, LINES)
    done = postprocess("--data_path", predata, "--pid_num", 72)
    assert done.code == 1
    assert "3 of 10 results belong to none of the 7 walks" in done.error
    assert "--index" in done.hint


def test_a_walk_that_went_away_since_is_noticed(postprocess: Postprocess, predata: Path) -> None:
    shutil.rmtree(predata / "076" / "bg-01")
    done = postprocess("--data_path", predata)
    assert (done.code, done.out) == (1, "")
    assert "1 of 10 results belong to none of the 9 walks, the first is" in done.error
    assert "0009_0.bin" in done.error


def summarise(results: Path, infile: str, outfile: str) -> None:
    row = {"infiles": [infile], "outfiles": [outfile]}
    results.with_name(f"{results.name}_summary.json").write_text(json.dumps({"filesinfo": {"0": row}}))


def test_the_index_beside_the_bins_of_the_summary_is_found(
    postprocess: Postprocess, results: Path, write_index: Any
) -> None:
    index = write_index("CASIA-B-bin")
    summarise(results, "./CASIA-B-bin/0000.bin", "./result/0000_0.bin")
    done = postprocess()
    assert (done.code, done.out.splitlines()) == (0, LINES)
    assert f"index: {index}\n" in done.err


def test_a_folder_that_is_named_goes_before_the_index_that_is_found(
    postprocess: Postprocess, results: Path, write_index: Any, predata: Path
) -> None:
    write_index("CASIA-B-bin", ["a/nm-01/000"] * 10)
    summarise(results, "./CASIA-B-bin/0000.bin", "./result/0000_0.bin")
    assert "is a probe sequence" in postprocess().error
    assert postprocess("--data_path", predata).out.splitlines() == LINES


@pytest.mark.parametrize("found", [False, True])
@pytest.mark.parametrize("flag", ["--pid_num", "--partition"])
def test_flags_that_an_index_makes_useless(
    flag: str, found: bool, postprocess: Postprocess, results: Path, write_index: Any
) -> None:
    index = write_index("CASIA-B-bin")
    summarise(results, "./CASIA-B-bin/0000.bin", "./result/0000_0.bin")
    done = postprocess(flag, 73, *(() if found else ("--index", index)))
    assert (done.code, done.out) == (2, "")
    assert done.error == f"{flag} belongs to --data_path: the index names the test subjects"


def test_what_preprocess_skipped_is_told(postprocess: Postprocess, write_index: Any) -> None:
    assert "skipped by" not in postprocess("--index", write_index()).err
    skipped = [{"source": f"07{i}/nm-01/000", "reason": f"cannot read frame {i}"} for i in range(2)]
    done = postprocess("--index", write_index(skipped=skipped))
    assert (done.code, done.out.splitlines()) == (0, LINES)
    assert "note: 2 walks were skipped by preprocess, the first: cannot read frame 0\n" in done.err


def test_neither_index_nor_listing(postprocess: Postprocess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = postprocess()
    assert (done.code, done.out) == (1, "")
    assert "no index, and no folder ./predata" in done.error
    assert "--index" in done.hint
    assert "--data_path" in done.hint


def test_index_and_folder_cannot_both_be_given(
    postprocess: Postprocess, write_index: Any, predata: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert postprocess("--index", write_index(), "--data_path", predata).code == 2


def test_a_missing_result_is_named(postprocess: Postprocess, write_index: Any, results: Path) -> None:
    for number in (3, 7):
        (results / f"{number:04d}_0.bin").unlink()
    done = postprocess("--index", write_index())
    assert (done.code, done.out) == (1, "")
    assert f"{results} has no result for 2 of 10 walks, the first is 0003_0.bin of 076/bg-01/018" in done.error


def test_a_result_too_many_is_named(postprocess: Postprocess, write_index: Any, results: Path) -> None:
    shutil.copy(results / "0000_0.bin", results / "0010_0.bin")
    done = postprocess("--index", write_index())
    assert (done.code, done.out) == (1, "")
    assert f"1 of 11 results belong to none of the 10 walks, the first is {results / '0010_0.bin'}" in done.error


def test_other_files_in_the_result_folder_are_left_alone(
    postprocess: Postprocess, write_index: Any, results: Path
) -> None:
    for name in ("Thumbs.db", "notes.txt", "0000.bin", "sumary.json"):
        (results / name).write_text("stray")
    assert postprocess("--index", write_index()).out.splitlines() == LINES


@pytest.mark.parametrize("size", [0, 4, 63487, 63489, 2 * 63488, 63488 // 2])
def test_a_result_of_another_size_is_named(
    size: int, postprocess: Postprocess, write_index: Any, results: Path
) -> None:
    (results / "0009_0.bin").write_bytes(bytes(size))
    done = postprocess("--index", write_index())
    assert (done.code, done.out) == (1, "")
    assert f"{results / '0009_0.bin'} has {size} bytes" in done.error
    assert "63488" in done.error


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_a_feature_that_is_not_finite_is_named(
    value: float, postprocess: Postprocess, write_index: Any, results: Path
) -> None:
    feature = np.fromfile(results / "0004_0.bin", np.float32)
    feature[-1] = value
    feature.tofile(results / "0004_0.bin")
    done = postprocess("--index", write_index())
    assert (done.code, done.out) == (1, "")
    assert str(results / "0004_0.bin") in done.error
    assert "not finite" in done.error


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "reid"}, "is an index of the model reid, not of gaitset"),
        ({"complete": False}, "shows an interrupted preprocess run"),
        ({"samples": [{"stem": "0000", "source": "x", "subject": "075", "view": "000"}]}, "sample 0000 has no subject"),
        (
            {"samples": [{"stem": "0000", "source": "x", "subject": 75, "condition": "nm-01", "view": "000"}]},
            "sample 0000 has no subject",
        ),
        (
            {"samples": [{"stem": "7", "source": "x", "subject": "a", "condition": "nm-01", "view": "000"}] * 2},
            "sample 7 is there twice",
        ),
    ],
)
def test_an_index_that_cannot_be_used(
    change: dict[str, Any], words: str, postprocess: Postprocess, write_index: Any
) -> None:
    index = write_index(**change)
    done = postprocess("--index", index)
    assert (done.code, done.out) == (1, "")
    assert f"{index}" in done.error
    assert words in done.error


def test_a_missing_result_folder_is_named_with_its_neighbour(gaitset: Callable[..., Finished], results: Path) -> None:
    done = gaitset("postprocess", "--output_path", results.with_name("resulz"))
    assert done.error == f"no such result folder: {results.with_name('resulz')}"
    assert done.hint == f"did you mean {results}?"


@pytest.mark.parametrize(
    ("walks", "kind"), [([f"a/nm-05/{v:03d}" for v in range(10)], "gallery"), (["a/nm-01/000"] * 10, "probe")]
)
def test_nothing_to_compare(walks: list[str], kind: str, postprocess: Postprocess, write_index: Any) -> None:
    done = postprocess("--index", write_index(walks=walks), "--json", "never.json")
    assert (done.code, done.out) == (1, "")
    assert re.search(f"none of the 10 walks is a {kind} sequence", done.error)
    assert not Path("never.json").exists()


def test_the_guide_s_flag_may_be_cut_short(gaitset: Callable[..., Finished], results: Path, write_index: Any) -> None:
    assert gaitset("postprocess", "--output", results, "--index", write_index()).out.splitlines() == LINES
