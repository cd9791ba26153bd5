"""`reid verify` on golden weights: passes for the right graphs, names the first stage that is wrong."""

import hashlib
import json

import numpy as np

from modelzoo.reid.layouts import read_data_set
from modelzoo.reid.verify import sample_pixels


def test_every_form_gives_the_answer_of_the_checkpoint(reid, checkpoint, exported, market, tmp_path):
    done = reid(
        "verify", "--weights", checkpoint, "--model", exported("after"), "--data", market, "--json", tmp_path / "v.json"
    )  # fmt: skip
    assert done.code == 0, done.err
    content = json.loads((tmp_path / "v.json").read_text())
    stages = ["onnx", "simplified", "uint8", "after.onnx"]
    assert [row["stage"] for row in content["comparisons"]] == stages
    assert all(row["passed"] and row["max_abs"] < 1e-5 for row in content["comparisons"])
    assert set(content["metrics"]) == {"torch", *stages}
    assert all(abs(metrics["mAP"] - 0.2717542973130241) < 1e-9 for metrics in content["metrics"].values())
    assert content["failed"] is None


def test_a_graph_of_the_other_neck_is_named_and_the_json_is_there_all_the_same(reid, checkpoint, exported, tmp_path):
    done = reid("verify", "--weights", checkpoint, "--model", exported("before"), "--json", tmp_path / "v.json")
    assert done.code == 1
    assert done.error.startswith("the first stage that fails is before.onnx: feature differs")
    assert json.loads((tmp_path / "v.json").read_text())["failed"]


def test_the_samples_are_the_first_images_of_the_data(market, golden):
    recorded = json.loads((golden / "preprocess.json").read_text())["files"]
    wanted = [row["resized_u8_hwc_sha256"] for row in recorded if row["file"].startswith("query/")][:4]
    pixels = sample_pixels(read_data_set(market))
    assert [hashlib.sha256(image.tobytes()).hexdigest() for image in pixels] == wanted
    assert np.array_equal(sample_pixels(None), sample_pixels(None))
