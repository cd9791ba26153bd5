"""Without the export extra: what needs no torch works, what needs it says how to get it and ends with 3."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modelzoo.common.testing.plugin import Finished


def program(*names: str) -> str:
    """The command in a process in which these modules are not there."""
    return "\n".join(
        [
            f"import sys; sys.modules.update(dict.fromkeys({names!r}))",
            "from modelzoo.reid.cli import main",
            "sys.argv[0] = 'reid'",
            "sys.exit(main())",
        ]
    )


WITHOUT_EXTRA = program("torch", "onnx", "onnxsim", "yacs")


@pytest.mark.parametrize("missing", ["torch", "onnx", "onnxsim"])
def test_export_names_what_is_missing(
    missing: str, checkpoint: Path, tmp_path: Path, reid_process: Callable[..., Finished]
) -> None:
    words = ("export", "--weights", checkpoint, "--output", tmp_path / "ReID.onnx")
    done = reid_process(*words, program=program(missing))
    assert done.code == 3
    assert f"needs {missing}, which is not installed" in done.error
    assert "pip install './packages/reid[export]'" in done.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["export", "run", "infer", "demo", "guide export"])
def test_what_needs_torch_says_so(
    step: str, market: Path, checkpoint: Path, config: Path, tmp_path: Path, reid_process: Callable[..., Finished]
) -> None:
    before = sorted(tmp_path.iterdir())
    words = {
        "export": ("export", "--weights", checkpoint),
        "run": ("run", "--data", market, "--weights", checkpoint),
        "infer": ("infer", "--model", checkpoint, "--input", market),
        "demo": ("demo",),
        "guide export": ("export", "--config_file", config, "TEST.WEIGHT", f"('{checkpoint}')"),
    }[step]
    done = reid_process(*words, program=WITHOUT_EXTRA, cwd=tmp_path)
    assert done.code == 3
    assert "which is not installed" in done.error
    assert "pip install './packages/reid[export]'" in done.hint
    assert sorted(tmp_path.iterdir()) == before


def test_what_needs_no_torch_works(
    market: Path, pooled: Path, tmp_path: Path, reid_process: Callable[..., Finished]
) -> None:
    query, gallery = market / "query", market / "bounding_box_test"
    steps = [
        ("preprocess", query, "bins"),
        ("preprocess", gallery, "bins_gallery"),
        ("infer", "--model", pooled, "--input", "bins", "--output", ".", "--output_dirname", "bs"),
        ("infer", "--model", pooled, "--input", "bins_gallery", "--output", ".", "--output_dirname", "bs_gallery"),
        ("postprocess", "--query_dir", query, "--gallery_dir", gallery, "--pred_dir", "bs"),
        ("extract", "--model", pooled, "--input", query),
        ("search", "--model", pooled, "--query", query, "--gallery", gallery),
        ("run", "--data", market, "--model", pooled),
    ]
    finished = []
    for words in steps:
        finished.append(reid_process(*words, program=WITHOUT_EXTRA, cwd=tmp_path))
        assert finished[-1].code == 0, finished[-1].err
        if words[0] == "infer" and words[-1] == "bs_gallery":
            for path in (tmp_path / "bs_gallery").iterdir():
                path.rename(tmp_path / "bs" / path.name)
    assert finished[-1].out.splitlines()[:4] == finished[4].out.splitlines()[:4]
    assert (tmp_path / "features.npz").exists()
    assert (tmp_path / "reid-search" / "ranking.csv").exists()
    assert (tmp_path / "reid-report" / "report.json").exists()
