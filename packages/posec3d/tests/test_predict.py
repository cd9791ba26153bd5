"""Actions of people's own recordings: probabilities, timeline, files, and every bad input."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelzoo.common.errors import DataError
from modelzoo.common.testing.plugin import Finished, tree
from modelzoo.posec3d import ActionRecognizer
from modelzoo.posec3d.annotations import recorded_skeletons
from modelzoo.posec3d.clips import cut_clips
from modelzoo.posec3d.labels import HMDB51
from modelzoo.posec3d.metrics import clip_average
from modelzoo.posec3d.predict import Clock, Duration
from modelzoo.posec3d.skeletons import Skeletons, check_skeletons

Commands = Callable[..., Finished]
Models = Callable[..., Path]
Record = Callable[..., dict[str, Any]]
Write = Callable[..., Path]

NAMES = HMDB51.split(", ")


def answer(skeletons: Skeletons, matrix: np.ndarray) -> np.ndarray:
    """What the models of `make_model` say, from whole heat maps."""
    volume = np.empty((20, 17, 48, 56, 56), np.float32)
    cut_clips(skeletons).draw_volumes(volume)
    return clip_average(volume.max(axis=(2, 3, 4)) @ matrix)


def cut(skeletons: Skeletons, start: int, end: int) -> Skeletons:
    return check_skeletons(skeletons.image, skeletons.keypoints[:, start:end], skeletons.scores[:, start:end])


@pytest.fixture(scope="module")
def soft(matrix: np.ndarray) -> np.ndarray:
    """What makes logits in these tests: so small that no action is certain, and all probabilities count."""
    return matrix / np.float32(10)


@pytest.fixture(scope="module")
def soft_model(make_model: Models, soft: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The models of `make_model` with that matrix."""
    import onnx
    from onnx import numpy_helper

    folder = tmp_path_factory.mktemp("soft")

    def make(form: str) -> Path:
        model = onnx.load(make_model(form))
        (weights,) = (one for one in model.graph.initializer if one.name == "matrix")
        weights.CopyFrom(numpy_helper.from_array(soft, "matrix"))
        onnx.save(model, folder / f"{form}.onnx")
        return folder / f"{form}.onnx"

    return make


@pytest.fixture
def made(record: Record) -> dict[str, Any]:
    """An annotation of two people in 100 frames, of which nobody is seen in the last 30, and three in the first 10."""
    made = record("long", 4, people=3, frames=100)
    for array in (made["keypoint"], made["keypoint_score"]):
        array[:, 70:] = 0
        array[2, 10:] = 0
    return made


@pytest.fixture
def people(made: dict[str, Any]) -> Skeletons:
    return recorded_skeletons(made)[0]


@pytest.fixture
def alphapose(tmp_path: Path, people: Skeletons) -> Path:
    """The same people as AlphaPose writes them, of a video with ten frames before."""
    joints = np.concatenate([people.keypoints, people.scores[..., None]], axis=-1).astype(float)
    rows = [
        {
            "image_id": f"{frame + 10}.jpg",
            "category_id": 1,
            "keypoints": joints[i, frame].ravel().tolist(),
            "idx": i + 1,
        }
        for frame in range(100)
        for i in range(3)
        if people.scores[i, frame].any()
    ]
    path = tmp_path / "alphapose-results.json"
    path.write_text(json.dumps(rows))
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def predict(posec3d: Commands, soft_model: Models, results: Path) -> Commands:
    """Run `posec3d predict` with a model that costs little."""
    return lambda *words: posec3d("predict", "--model", soft_model("frames"), "--output", results, *words)


def read(folder: Path) -> list[dict[str, Any]]:
    recordings: list[dict[str, Any]] = json.loads((folder / "actions.json").read_text())["recordings"]
    return recordings


def assert_top(found: list[dict[str, Any]], wanted: np.ndarray, count: int = 5) -> None:
    order = np.argsort(-wanted)[:count]
    assert [one["action"] for one in found] == [NAMES[number] for number in order]
    np.testing.assert_allclose([one["probability"] for one in found], wanted[order], rtol=1e-5)


@pytest.mark.parametrize("form", ["frames", "volumes"])
def test_the_recognizer_says_what_the_network_says_of_whole_heat_maps(
    form: str, soft_model: Models, people: Skeletons, soft: np.ndarray
) -> None:
    recognizer = ActionRecognizer(soft_model(form))
    wanted = answer(people, soft)
    found = recognizer(people)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert found.sum() == pytest.approx(1)
    assert recognizer.top(found, 2)[0] == (NAMES[int(wanted.argmax())], pytest.approx(float(wanted.max())))


def test_its_windows_are_recordings_of_their_own(soft_model: Models, people: Skeletons, soft: np.ndarray) -> None:
    windows = ActionRecognizer(soft_model("frames")).windows(people, 20, 15)
    assert [one.frames for one in windows] == [range(i, i + 20) for i in (0, 15, 30, 45, 60, 75, 80)]
    for one in windows[:5]:
        assert one.probabilities is not None
        wanted = answer(cut(people, one.frames.start, one.frames.stop), soft)
        np.testing.assert_allclose(one.probabilities, wanted, rtol=1e-5)
    assert [one.probabilities for one in windows[5:]] == [None, None]


def test_windows_of_two_lengths_and_batches_come_back_in_order(soft_model: Models, people: Skeletons) -> None:
    """48 frames are sampled of each: recordings of other lengths are batches of their own."""
    one, other = (ActionRecognizer(soft_model("volumes"), batchsize=size, workers=2) for size in (1, 3))
    for a, b in zip(one.windows(people, 30, 30), other.windows(people, 30, 30), strict=True):
        assert a.frames == b.frames
        assert (a.probabilities is None) == (b.probabilities is None)
        if a.probabilities is not None and b.probabilities is not None:
            np.testing.assert_allclose(a.probabilities, b.probabilities, rtol=1e-5)


def test_of_equal_probabilities_the_lower_number_comes_first(soft_model: Models) -> None:
    probabilities = np.zeros(51)
    probabilities[[7, 3, 9]] = 0.25, 0.25, 0.5
    top = ActionRecognizer(soft_model("frames")).top(probabilities, 3)
    assert top == [(NAMES[9], 0.5), (NAMES[3], 0.25), (NAMES[7], 0.25)]


def test_seconds_are_frames_of_the_file_by_hand() -> None:
    """Of a video with 25 frames a second every fifth is in the file: 2 seconds are 10 of them."""
    clock = Clock(range(100, 300, 5), 25)
    assert (Duration(2, seconds=True).frames(clock), Duration(7).frames(clock)) == (10, 7)
    assert Duration(0.01, seconds=True).frames(clock) == 1
    assert [clock.at(frame) for frame in (0, 10, 40)] == [4, 6, 12]
    assert Clock(range(100, 300, 5)).at(10) == 150


def test_nobody_has_no_action(soft_model: Models, people: Skeletons) -> None:
    recognizer = ActionRecognizer(soft_model("frames"))
    for ask in (recognizer, lambda one: recognizer.windows(one, 10, 5)):
        with pytest.raises(DataError, match="nobody is seen"):
            ask(cut(people, 70, 100))


def test_a_checkpoint_of_any_number_of_actions(tmp_path: Path, people: Skeletons) -> None:
    """What a narrow network says of whole heat maps."""
    import torch

    from modelzoo.posec3d.network import PoseC3D
    from modelzoo.posec3d.spec import Structure

    torch.manual_seed(0)
    network = PoseC3D(Structure(width=2, blocks=(1, 1, 1), classes=3))
    torch.save({"state_dict": network.state_dict()}, tmp_path / "mine.pth")
    short = cut(people, 0, 12)
    recognizer = ActionRecognizer(tmp_path / "mine.pth")
    assert list(recognizer.names) == ["0", "1", "2"]
    found = recognizer(short)
    volume = np.empty((20, 17, 48, 56, 56), np.float32)
    cut_clips(short).draw_volumes(volume)
    with torch.inference_mode():
        wanted = clip_average(network.eval()(torch.from_numpy(volume)).numpy())
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_an_annotation(
    predict: Commands,
    made: dict[str, Any],
    people: Skeletons,
    soft: np.ndarray,
    write_annotations: Write,
    results: Path,
    tmp_path: Path,
) -> None:
    path = write_annotations([made])
    done = predict("--keypoints", path, "--top", 3, "--json", tmp_path / "copy.json")
    assert done.code == 0, done.err
    wanted = answer(people, soft)
    (found,) = read(results)
    assert (found["name"], found["frames"], found["people"]) == ("long", 100, 3)
    assert_top(found["top"], wanted, 3)
    np.testing.assert_allclose(found["probabilities"], wanted, rtol=1e-5)
    assert json.loads((results / "actions.json").read_text())["actions"] == NAMES
    lines = done.out.splitlines()
    assert lines[0] == "long: 100 frames, up to 3 people"
    assert lines[1].split() == [f"{wanted.max():.2%}", *NAMES[int(wanted.argmax())].split()]
    assert len(lines) == 1 + 3 + 1
    assert (tmp_path / "copy.json").read_bytes() == (results / "actions.json").read_bytes()
    assert sorted(tree(results)) == ["actions.json", "skeletons/long.png"]


def test_results_of_alphapose_give_a_timeline_in_seconds(
    predict: Commands, alphapose: Path, people: Skeletons, soft: np.ndarray, results: Path
) -> None:
    done = predict(
        "--keypoints", alphapose, "--window", "0.8s", "--stride", "10", "--fps", 25, "--image-size", "320x240"
    )
    assert done.code == 0, done.err
    assert done.err == ""
    (found,) = read(results)
    assert (found["name"], found["unit"], found["frames"]) == ("alphapose-results", "s", 70)
    parts = [answer(cut(people, start, start + 20), soft) for start in range(0, 51, 10)]
    assert [(one["start"], one["end"]) for one in found["windows"]] == [
        (pytest.approx(0.4 * i), pytest.approx(0.4 * i + 0.8)) for i in range(1, 7)
    ]
    for one, wanted in zip(found["windows"], parts, strict=True):
        assert_top([one], wanted, 1)
    assert_top(found["top"], np.mean(parts, axis=0))
    rows = list(csv.reader((results / "timeline.csv").open()))
    assert rows[0] == ["recording", "start", "end", "unit", "action", "probability"]
    assert rows[1][:5] == ["alphapose-results", "0.4", "1.2", "s", NAMES[int(parts[0].argmax())]]
    assert float(rows[1][5]) == pytest.approx(parts[0].max(), abs=1e-6)
    assert len(rows) == 1 + 6
    assert "0.4 s to " in done.out


def test_a_timeline_in_frames_with_nobody_at_its_end(
    predict: Commands, made: dict[str, Any], write_annotations: Write, results: Path
) -> None:
    done = predict("--keypoints", write_annotations([made]), "--window", 20)
    assert done.code == 0, done.err
    (found,) = read(results)
    assert [(one["start"], one["end"]) for one in found["windows"]] == [(i, i + 20) for i in range(0, 81, 10)]
    assert found["unit"] == "frames"
    assert [one["action"] is None for one in found["windows"]] == [False] * 7 + [True] * 2
    assert list(csv.reader((results / "timeline.csv").open()))[-1] == ["long", "80", "100", "frames", "", ""]
    assert done.out.splitlines()[-2] == "  75 to 100: nobody"
    assert sorted(tree(results)) == ["actions.json", "skeletons/long.png", "timeline.csv", "timelines/long.png"]


def test_one_person_and_the_surest_people(
    predict: Commands, alphapose: Path, people: Skeletons, soft: np.ndarray, results: Path
) -> None:
    assert predict("--keypoints", alphapose, "--track", 2, "--image-size", "320x240").code == 0
    second = check_skeletons((240, 320), people.keypoints[1:2, :70], people.scores[1:2, :70])
    assert_top(read(results)[0]["top"], answer(second, soft))
    assert predict("--keypoints", alphapose, "--persons", 1, "--image-size", "320x240", "--overwrite").code == 0
    surest = people.scores[:, :70].astype(float).mean(axis=2).argmax(axis=0)
    at = surest, np.arange(70)
    best = check_skeletons((240, 320), people.keypoints[at][None], people.scores[at][None])
    assert_top(read(results)[0]["top"], answer(best, soft))
    assert read(results)[0]["people"] == 1


def test_pictures_have_their_sizes_and_people_in_them(
    predict: Commands, made: dict[str, Any], write_annotations: Write, results: Path
) -> None:
    assert predict("--keypoints", write_annotations([made]), "--window", 20, "--top", 4).code == 0
    with Image.open(results / "skeletons/long.png") as card, Image.open(results / "timelines/long.png") as timeline:
        assert card.height == 2 * 32 + 78 + 200 + 30 + 4 * 30
        assert timeline.width == 2 * 32 + 170 + 900
        assert len(card.getcolors(1 << 16) or []) > 50


def test_recordings_that_cannot_be_used(
    predict: Commands, made: dict[str, Any], record: Record, write_annotations: Write, results: Path
) -> None:
    empty = record("empty", keypoint=np.zeros((0, 60, 17, 2)), keypoint_score=np.zeros((0, 60, 17)))
    path = write_annotations([empty, made])
    done = predict("--keypoints", path)
    assert (done.code, done.error) == (1, "empty: nobody is seen in it")
    assert not results.exists()
    done = predict("--keypoints", path, "--on-error", "skip")
    assert done.code == 1
    assert [one["name"] for one in read(results)] == ["long"]
    assert done.err.splitlines()[-1] == "skipped: empty: nobody is seen in it"
    done = predict("--keypoints", path, "--on-error", "skip", "--name", "empty", "--overwrite")
    assert done.error.endswith("can be used, the first: empty: nobody is seen in it")
    assert predict("--keypoints", path, "--name", "long", "--overwrite").code == 0


def test_names_that_are_no_file_names(
    predict: Commands, record: Record, write_annotations: Write, results: Path
) -> None:
    names = ["../up", "a/b", "a_b", "\x1b[2Jx", "n" * 300]
    done = predict("--keypoints", write_annotations([record(name, frames=20) for name in names]))
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert [one["name"] for one in read(results)] == names
    pictures = {path.name for path in (results / "skeletons").iterdir()}
    assert pictures == {"_._up.png", "a_b.png", "a_b_2.png", "_[2Jx.png", f"{'n' * 60}.png"}


def test_results_are_not_overwritten_unasked(
    predict: Commands, made: dict[str, Any], write_annotations: Write, results: Path
) -> None:
    path = write_annotations([made])
    assert predict("--keypoints", path, "--window", 30).code == 0
    before = tree(results)
    done = predict("--keypoints", path)
    assert (done.code, done.hint) == (1, "choose another --output, or --overwrite the results in it")
    assert done.error == f"{results / 'actions.json'} is there already"
    assert tree(results) == before
    assert predict("--keypoints", path, "--overwrite").code == 0
    assert not (results / "timeline.csv").exists()


LABELS = {
    "too few": ("one\ntwo\n", "names 2 actions, but the network tells 51 apart"),
    "empty": ("", "names no action"),
}


@pytest.mark.parametrize(("text", "said"), LABELS.values(), ids=LABELS)
def test_labels_that_do_not_fit(text: str, said: str, predict: Commands, alphapose: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text(text)
    done = predict("--keypoints", alphapose, "--labels", tmp_path / "labels.txt")
    assert done.code == 1
    assert said in done.error


def test_labels_of_ones_own(predict: Commands, alphapose: Path, tmp_path: Path, results: Path) -> None:
    (tmp_path / "labels.txt").write_text("".join(f"action {i}\n" for i in range(51)))
    assert predict("--keypoints", alphapose, "--labels", tmp_path / "labels.txt").code == 0
    assert read(results)[0]["top"][0]["action"].startswith("action ")


USAGE = {
    "stride alone": (["--stride", 5], "--stride is for --window"),
    "seconds without rate": (["--window", "2s"], "2s are seconds, but --fps is not given"),
    "stride without rate": (["--window", 20, "--stride", "1s"], "1s are seconds, but --fps is not given"),
    "gaps": (["--window", 20, "--stride", 21], "--stride is 21 frames and --window 20"),
    "no window": (["--window", "0"], "'0' is not a number of frames such as 64"),
    "half a frame": (["--window", "2.5"], "'2.5' is not a number of frames such as 64"),
    "words": (["--window", "long"], "'long' is not a number of frames"),
    "no rate": (["--fps", "0"], "'0' is not a number of frames a second"),
    "odd rate": (["--fps", "nan"], "'nan' is not a number of frames a second"),
    "size": (["--image-size", "640"], "'640' is not width and height in pixels"),
    "empty size": (["--image-size", "0x5"], "'0x5' is not width and height in pixels"),
    "negative person": (["--track", "-1"], "-1"),
}


@pytest.mark.parametrize(("words", "said"), USAGE.values(), ids=USAGE)
def test_wrong_usage(words: list[str], said: str, predict: Commands, alphapose: Path, results: Path) -> None:
    done = predict("--keypoints", alphapose, *words)
    assert done.code == 2
    assert said in done.error
    assert not results.exists()


def test_bad_files(predict: Commands, tmp_path: Path, results: Path, soft_model: Models) -> None:
    done = predict("--keypoints", soft_model("frames"))
    assert "is not a pickle, or is damaged" in done.error
    assert done.hint == "JSON files are called .json, and pickles .pkl"
    done = predict("--keypoints", tmp_path / "none.json")
    assert (done.code, done.error) == (1, f"no such keypoint file: {tmp_path / 'none.json'}")
    assert not results.exists()


def test_a_model_of_something_else(posec3d: Commands, alphapose: Path, toys: Path, results: Path) -> None:
    done = posec3d("predict", "--model", toys / "toyA_free.onnx", "--keypoints", alphapose, "--output", results)
    assert done.code == 1
    assert "the model takes image" in done.error


def test_a_model_without_room(
    alphapose: Path, posec3d: Commands, tmp_path: Path, results: Path, soft: np.ndarray
) -> None:
    """A model of one person's keypoints: three are too many, and the surest one is not."""
    from onnx.helper import make_node

    from modelzoo.common.testing.toys import onnx_model, save_model
    from modelzoo.posec3d.spec import spec_of

    spec = spec_of("keypoints", persons=1)
    nodes = [
        make_node("ReduceMax", ["keypoints"], ["highest"], axes=[1, 3, 5], keepdims=0),
        make_node("Concat", ["highest", "highest"], ["clips"], axis=1),
        make_node("Reshape", ["clips", "flat"], ["rows"]),
        make_node("MatMul", ["rows", "matrix"], ["logits"]),
    ]
    constants = {"flat": np.array([-1, 17]), "matrix": soft / 10}
    model = save_model(tmp_path / "one.onnx", onnx_model(nodes, spec.inputs, spec.outputs, constants))
    words = ["predict", "--model", model, "--keypoints", alphapose, "--output", results]
    done = posec3d(*words)
    assert done.error == "alphapose-results: it has up to 3 people in a frame, but the model has room for 1"
    assert done.hint == "--persons 1 leaves out the less certain ones"
    assert posec3d(*words, "--persons", 1).code == 0


def test_an_answer_that_is_no_number(posec3d: Commands, alphapose: Path, tmp_path: Path, results: Path) -> None:
    from onnx.helper import make_node

    from modelzoo.common.testing.toys import onnx_model, save_model
    from modelzoo.posec3d.spec import spec_of

    spec = spec_of("volumes")
    nodes = [
        make_node("Reshape", ["clips", "flat"], ["rows"]),
        make_node("ReduceMax", ["rows"], ["highest"], axes=[2], keepdims=0),
        make_node("MatMul", ["highest", "matrix"], ["logits"]),
    ]
    constants = {"flat": np.array([-1, 17, 48 * 56 * 56]), "matrix": np.full((17, 51), np.nan, np.float32)}
    model = save_model(tmp_path / "nan.onnx", onnx_model(nodes, spec.inputs, spec.outputs, constants))
    done = posec3d("predict", "--model", model, "--keypoints", alphapose, "--output", results)
    assert done.code == 1
    assert "the answer of the model holds NaN" in done.error


def test_long_recordings_are_told_of_windows(predict: Commands, record: Record, write_annotations: Write) -> None:
    path = write_annotations([record("long", frames=300)])
    done = predict("--keypoints", path)
    assert "note: long: one answer for 300 frames; --window gives a timeline" in done.err
    assert predict("--keypoints", path, "--window", 150, "--overwrite").err == ""


def test_pictures_come_with_every_recording_and_an_interruption_keeps_what_is_there(
    predict: Commands, record: Record, write_annotations: Write, results: Path
) -> None:
    bad = record("bad", keypoint=np.zeros((1, 60, 13, 2)))
    path = write_annotations([record("one"), record("two"), bad, record("three")])
    done = predict("--keypoints", path, "--window", 30)
    assert (done.code, done.error) == (1, "bad: keypoint has 13 joints, not the 17 of COCO")
    assert [one["name"] for one in read(results)] == ["one", "two"]
    assert json.loads((results / "actions.json").read_text())["complete"] is False
    assert {row[0] for row in csv.reader((results / "timeline.csv").open())} == {"recording", "one", "two"}
    assert {"skeletons/two.png", "timelines/two.png"} < set(tree(results))
    assert predict("--keypoints", path, "--overwrite", "--on-error", "skip").code == 1
    assert json.loads((results / "actions.json").read_text())["complete"] is True


def test_pictures_of_older_results_go_after_success_and_nothing_else(
    predict: Commands, record: Record, write_annotations: Write, results: Path
) -> None:
    old = write_annotations([record("one"), record("two")], name="old.pkl")
    assert predict("--keypoints", old, "--window", 30).code == 0
    (results / "skeletons/mine.png").write_bytes(b"mine")
    new = write_annotations([record("two"), record("bad", keypoint=None)], name="new.pkl")
    assert predict("--keypoints", new, "--overwrite", "--name", "bad").code == 1
    assert {"skeletons/one.png", "timelines/one.png"} < set(tree(results))
    assert predict("--keypoints", new, "--overwrite", "--name", "two").code == 0
    assert sorted(tree(results)) == ["actions.json", "skeletons/mine.png", "skeletons/two.png"]


@pytest.mark.parametrize("named", ["../mine.png", "/mine.png", "mine.txt", "..", "n" * 300 + ".png", "\0.png", 3])
def test_what_old_results_name_is_no_path(
    named: Any, predict: Commands, record: Record, write_annotations: Write, results: Path
) -> None:
    (results / "skeletons").mkdir(parents=True)
    for name in ("mine.png", "skeletons/mine.txt"):
        (results / name).write_bytes(b"mine")
    (results / "actions.json").write_text(json.dumps({"recordings": [{"picture": named}, 3]}))
    assert predict("--keypoints", write_annotations([record("one")]), "--overwrite").code == 0
    assert {"mine.png", "skeletons/mine.txt"} < set(tree(results))


def test_the_recordings_of_a_split(
    predict: Commands, record: Record, write_annotations: Write, alphapose: Path, results: Path
) -> None:
    path = write_annotations([record("one"), record("two")], {"train1": ["one"], "val": ["two"]})
    assert predict("--keypoints", path, "--split", "val").code == 0
    assert [one["name"] for one in read(results)] == ["two"]
    done = predict("--keypoints", path, "--split", "test9", "--overwrite")
    assert (done.code, done.hint) == (1, "--split takes one of: train1, val")
    done = predict("--keypoints", alphapose, "--split", "val", "--overwrite")
    assert (done.code, done.error.partition(",")[0]) == (2, "--split is for annotations that have splits")


def test_names_that_are_no_text(predict: Commands, record: Record, write_annotations: Write, results: Path) -> None:
    """A lone surrogate, which no encoding has, and one of a file name that is not UTF-8."""
    path = write_annotations([record("x\ud800y", frames=20), record("a\udcff", frames=20)])
    done = predict("--keypoints", path, "--window", 10)
    assert done.code == 0, done.err
    assert [one["name"] for one in read(results)] == ["x\ud800y", "a\udcff"]
    assert {path.name for path in (results / "skeletons").iterdir()} == {"x_y.png", "a_.png"}


def test_a_name_that_is_part_of_a_message_stands_before_it_all_the_same(
    predict: Commands, record: Record, write_annotations: Write
) -> None:
    done = predict("--keypoints", write_annotations([record("it", keypoint_score=np.zeros((1, 60, 17)))]))
    assert done.error == "it: nobody is seen in it"


def test_seconds_without_a_rate_are_found_before_the_model_is_opened(
    posec3d: Commands, alphapose: Path, tmp_path: Path
) -> None:
    done = posec3d("predict", "--model", tmp_path / "none.onnx", "--keypoints", alphapose, "--window", "2s")
    assert (done.code, done.error) == (2, "2s are seconds, but --fps is not given")
