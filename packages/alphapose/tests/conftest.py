"""What the tests share: goldens, filled weights, exported models, and ways to run a command."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from modelzoo.alphapose.cli import main
from modelzoo.alphapose.demo import PHOTO
from modelzoo.common.testing.golden import golden_tensor

if TYPE_CHECKING:
    import torch

    from modelzoo.common.testing.plugin import CommandRunner, Finished

pytest_plugins = ["modelzoo.common.testing.plugin", "modelzoo.common.testing.cann"]

DATA = Path(__file__).with_name("data")
PROGRAM = "import sys; from modelzoo.alphapose.cli import main; sys.argv[0] = 'alphapose'; sys.exit(main())"

CONFIG = """
DATASET:
  TEST:
    TYPE: 'Mscoco_det'
    ROOT: './data/coco/'
    DET_FILE: './exp/json/test_det_yolo.json'
DATA_PRESET:
  TYPE: 'simple'
  SIGMA: 2
  NUM_JOINTS: 17
  IMAGE_SIZE:
  - 256
  - 192
  HEATMAP_SIZE:
  - 64
  - 48
MODEL:
  TYPE: 'FastPose'
  PRETRAINED: ''
  TRY_LOAD: ''
  NUM_DECONV_FILTERS:
  - 256
  - 256
  - 256
  NUM_LAYERS: 50
LOSS:
  TYPE: 'MSELoss'
TRAIN:
  LR: 0.001
"""
"""What matters here of the upstream's 256x192_res50_lr1e-3_1x.yaml."""


@pytest.fixture
def alphapose(command: CommandRunner) -> Callable[..., Finished]:
    """Run `alphapose WORDS` in this process."""
    return lambda *words: command(main, "alphapose", *words)


@pytest.fixture(scope="session")
def alphapose_once(command_once: CommandRunner) -> Callable[..., Finished]:
    """Run `alphapose WORDS` in this process, for what is made once and used by many tests."""
    return lambda *words: command_once(main, "alphapose", *words)


@pytest.fixture(scope="session")
def alphapose_process() -> Callable[..., Finished]:
    """Run `alphapose WORDS` in a process of its own: `prefix` goes before it, `program` starts it instead."""
    from modelzoo.common.testing.plugin import Finished

    def run(*words: object, prefix: Sequence[str] = (), program: str = PROGRAM, **options: Any) -> Finished:
        line = [*prefix, sys.executable, "-c", program, *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=100, check=False, **options)
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def golden() -> Path:
    """The recorded values."""
    return DATA / "golden"


@pytest.fixture(scope="session")
def seeded() -> Callable[[str], np.random.Generator]:
    """The generator of the goldens: a fresh one for every name."""
    return lambda name: np.random.default_rng(zlib.crc32(name.encode()))


@pytest.fixture(scope="session")
def fill(seeded: Callable[[str], np.random.Generator]) -> Callable[[str, Sequence[int]], np.ndarray]:
    """The tensor of a key and shape, by the rule of the goldens."""

    def filled(key: str, shape: Sequence[int]) -> np.ndarray:
        if key.endswith(".bn3.weight"):
            return seeded(key).uniform(0.1, 0.3, shape).astype(np.float32)
        return golden_tensor(key, shape, {})

    return filled


@pytest.fixture(scope="session")
def published_keys(golden: Path) -> list[dict[str, Any]]:
    """Key, shape, dtype and sums of every tensor of the published checkpoint's kind, in order."""
    keys: list[dict[str, Any]] = json.loads((golden / "fastpose_state_dict.json").read_text())["keys"]
    return keys


@pytest.fixture(scope="session")
def filled_weights(
    published_keys: list[dict[str, Any]], fill: Callable[[str, Sequence[int]], np.ndarray]
) -> dict[str, np.ndarray]:
    """The weights of the goldens."""
    return {row["key"]: fill(row["key"], row["shape"]) for row in published_keys}


@pytest.fixture(scope="session")
def checkpoint(filled_weights: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of the goldens as the upstream saves them."""
    import torch

    path = tmp_path_factory.mktemp("weights") / "filled.pth"
    torch.save({key: torch.from_numpy(array) for key, array in filled_weights.items()}, path)
    return path


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the upstream's configuration of the published network says."""
    path = tmp_path_factory.mktemp("configs") / "256x192_res50_lr1e-3_1x.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="session")
def exported(
    alphapose_once: Callable[..., Finished], checkpoint: Path, config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """The golden network as `plain` (by the guide's command line) or `flip`, each exported once."""
    folder = tmp_path_factory.mktemp("exported")

    @cache
    def export(form: str) -> Path:
        output = folder / f"{form}.onnx"
        words = {"plain": [config, checkpoint, output], "flip": ["--weights", checkpoint, "--output", output]}[form]
        done = alphapose_once("export", *words, *(["--flip-test"] if form == "flip" else []))
        assert done.code == 0, done.err
        return output

    return export


@pytest.fixture
def shallow(
    fill: Callable[[str, Sequence[int]], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, torch.Tensor]]:
    """Filled weights of a narrow network with one block a stage, which is taken for one of 50 layers in the test."""
    import torch

    from modelzoo.alphapose import network, weights
    from modelzoo.alphapose.spec import Structure

    def make(joints: int = 17) -> dict[str, torch.Tensor]:
        for module in (network, weights):
            monkeypatch.setattr(module, "BLOCKS", {50: (1, 1, 1, 1)})
        monkeypatch.setattr(network, "WIDTHS", (16, 32, 64, 128))
        with torch.device("meta"):
            shapes = {
                key: value.shape for key, value in network.FastPose(Structure(joints=joints)).state_dict().items()
            }
        return {key: torch.from_numpy(np.array(fill(key, shape))) for key, shape in shapes.items()}

    return make


@pytest.fixture
def shallow_checkpoint(shallow: Callable[..., dict[str, torch.Tensor]], tmp_path: Path) -> Path:
    """A checkpoint of the `shallow` network."""
    import torch

    torch.save(shallow(), tmp_path / "shallow.pth")
    return tmp_path / "shallow.pth"


@pytest.fixture(scope="session")
def photo() -> Path:
    """A photo of COCO, 640 x 425."""
    return PHOTO


@pytest.fixture(scope="session")
def detector_layout(golden: Path) -> dict[str, Any]:
    """What is known of yolov3-spp.weights: its bytes, the convolutions in order, and the sha256 of the filled one."""
    layout: dict[str, Any] = json.loads((golden / "yolov3spp_weights_layout.json").read_text())
    return layout


@pytest.fixture(scope="session")
def write_darknet(seeded: Callable[[str], np.random.Generator]) -> Callable[..., Path]:
    """Write a darknet file of these convolutions, filled by the rule of the goldens; return its path."""

    def parts(number: int, conv: dict[str, Any]) -> Iterator[np.ndarray]:
        def draw(part: str) -> np.random.Generator:
            return seeded(f"yolov3-spp/conv{number}/{part}")

        out, shape = conv["out"], (conv["out"], conv["in"], conv["k"], conv["k"])
        if conv["batch_normalize"]:
            yield draw("bn_bias").uniform(-0.1, 0.1, out)
            yield draw("bn_weight").uniform(*((0.1, 0.3) if conv["before_shortcut"] else (0.5, 1.5)), out)
            yield draw("bn_mean").uniform(-0.1, 0.1, out)
            yield draw("bn_var").uniform(0.5, 1.5, out)
        else:
            yield draw("bias").uniform(-0.1, 0.1, out)
        scale = np.sqrt(2 / np.prod(shape[1:])) * (0.1 if conv["before_yolo"] else 1)
        yield draw("weight").standard_normal(shape).astype(np.float32) * np.float32(scale)

    def write(path: Path, convolutions: Sequence[dict[str, Any]], header: Sequence[int] = (0, 2, 0, 9, 0)) -> Path:
        with path.open("wb") as file:
            file.write(np.array(header, "<i4").tobytes())
            for number, conv in enumerate(convolutions):
                for part in parts(number, conv):
                    file.write(part.astype("<f4").tobytes())
        return path

    return write


@pytest.fixture(scope="session")
def detector_weights(
    detector_layout: dict[str, Any], write_darknet: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The weights of the goldens as darknet saves them: 252 MB, removed at the end."""
    path = tmp_path_factory.mktemp("darknet") / "yolov3-spp.weights"
    write_darknet(path, detector_layout["convolutional_layers"], detector_layout["header_int32_le"])
    yield path
    path.unlink()


@pytest.fixture(scope="session")
def detector_onnx(
    alphapose_once: Callable[..., Finished], detector_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The golden detector exported by the command: 252 MB, removed at the end."""
    output = tmp_path_factory.mktemp("detector") / "yolov3-spp.onnx"
    done = alphapose_once("export-detector", "--weights", detector_weights, "--output", output)
    assert done.code == 0, done.err
    yield output
    output.unlink()


NARROW = ((4, 1), (4, 1), (8, 1), (8, 1), (8, 1))
"""Channels and blocks of a detector that is quick."""


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """During the test, the detector's network is a narrow one of the same kind."""
    from modelzoo.alphapose.detector import network, weights

    monkeypatch.setattr(weights, "YoloV3Spp", partial(network.YoloV3Spp, stages=NARROW))


@pytest.fixture(scope="session")
def narrow_weights(write_darknet: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of the `narrow` network, whose convolutions are listed here by hand."""
    rows = """
        3>2@3 2>4@3 4>2@1 2>4@3+ 4>4@3 4>2@1 2>4@3+ 4>8@3 8>4@1 4>8@3+ 8>8@3 8>4@1 4>8@3+ 8>8@3 8>4@1 4>8@3+
        8>4@1 4>8@3 8>4@1 16>4@1 4>8@3 8>4@1 4>8@3 8>255@1!
        4>2@1 10>4@1 4>8@3 8>4@1 4>8@3 8>4@1 4>8@3 8>255@1!
        4>2@1 10>4@1 4>8@3 8>4@1 4>8@3 8>4@1 4>8@3 8>255@1!
    """
    convolutions = [
        {
            "in": int(inputs),
            "out": int(outputs),
            "k": int(kernel),
            "batch_normalize": mark != "!",
            "before_shortcut": mark == "+",
            "before_yolo": mark == "!",
        }
        for inputs, outputs, kernel, mark in re.findall(r"(\d+)>(\d+)@(\d)([+!]?)", rows)
    ]
    return write_darknet(tmp_path_factory.mktemp("narrow") / "narrow.weights", convolutions)


@pytest.fixture(scope="session")
def narrow_onnx(
    alphapose_once: Callable[..., Finished], narrow_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The narrow detector exported by the command."""
    from modelzoo.alphapose.detector import network, weights

    output = tmp_path_factory.mktemp("narrow") / "narrow.onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "YoloV3Spp", partial(network.YoloV3Spp, stages=NARROW))
        done = alphapose_once("export-detector", "--weights", narrow_weights, "--output", output)
    assert done.code == 0, done.err
    return output


@pytest.fixture(scope="session")
def toy_detector() -> torch.nn.Module:
    """Stands in for the detector's network: every patch of 32 x 32 pixels is as sure as it is red, a person where it is
    blue rather than green, and the larger the brighter it is."""
    import torch

    class Toy(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            colours = torch.nn.functional.avg_pool2d(image, 32).flatten(2).transpose(1, 2)
            red, green, blue = colours.split(1, 2)
            centre = 32.0 * torch.cartesian_prod(torch.arange(19), torch.arange(19)).flip(1) + 16
            box = torch.cat((centre + 0 * colours[..., :2], 40 + 90 * red, 60 + 150 * blue), 2)
            rows = torch.cat((box, red, blue, green + 0.01, 0 * colours.repeat(1, 1, 26)), 2)
            return torch.cat((rows, 0 * rows.repeat(1, 62, 1)), 1)[:, :22743]

    return Toy().eval()


@pytest.fixture(scope="session")
def toy_onnx(toy_detector: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy detector as a graph."""
    from modelzoo.alphapose.detector.export import identity
    from modelzoo.common.export import export_onnx

    return export_onnx(toy_detector, identity(), tmp_path_factory.mktemp("toy") / "toy.onnx", 1e-4, check_batches=(1,))


@pytest.fixture
def photos(photo: Path, tmp_path: Path) -> Path:
    """A COCO folder with three copies of a photo and no annotations."""
    folder = tmp_path / "coco"
    (folder / "val2017").mkdir(parents=True)
    for number in (785, 42, 139):
        shutil.copyfile(photo, folder / "val2017" / f"{number:012d}.jpg")
    return folder


@pytest.fixture(scope="session")
def coco_annotations(golden: Path) -> dict[str, Any]:
    """The annotations of four photos of COCO, of which only one is here."""
    annotations: dict[str, Any] = json.loads((golden / "coco_annotations.json").read_text())
    return annotations


@pytest.fixture
def coco(tmp_path: Path, photo: Path, coco_annotations: dict[str, Any]) -> Path:
    """A COCO folder: a photo, noise of a name that is no number with one person, and an image without anybody."""
    import cv2

    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    shutil.copy(photo, root / "val2017")
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    cv2.imwrite(str(root / "val2017" / "street two.png"), noise)
    cv2.imwrite(str(root / "val2017" / "000000000901.png"), noise[:40, :50])
    others = [{"id": 900, "file_name": "street two.png"}, {"id": 901, "file_name": "000000000901.png"}]
    real = [row for row in coco_annotations["annotations"] if row["image_id"] == 785]
    made = {**real[0], "id": 7, "image_id": 900, "area": 9000.0, "bbox": [100, 50, 90, 200]}
    made["keypoints"] = [number for i in range(17) for number in (110 + 4 * i, 60 + 10 * i, 2)]
    labels = {
        "images": [coco_annotations["images"][0], *others],
        "categories": coco_annotations["categories"],
        "annotations": [*real, made],
    }
    (root / "annotations" / "person_keypoints_val2017.json").write_text(json.dumps(labels))
    return root


@pytest.fixture
def detections(tmp_path: Path) -> Path:
    """Boxes in the photos of `coco`, not sorted by photo: one beside the photo, and one of a dog."""
    boxes = [
        (785, [280.79, 44.73, 218.7, 346.68], 0.98),
        (900, [100.5, 50.25, 90.0, 200.0], 0.9),
        (785, [281.9, 44.57, 212.94, 344.98], 0.3),
        (900, [0.0, 0.0, 400.0, 300.0], 0.5),
        (785, [600.3, 380.7, 39.7, 44.3], 0.25),
        (900, [1000.0, 1000.0, 50.0, 80.0], 0.2),
    ]
    rows = [{"image_id": i, "category_id": 1, "bbox": box, "score": score} for i, box, score in boxes]
    rows.insert(2, {"image_id": 900, "category_id": 18, "bbox": [1.0, 2.0, 3.0, 4.0], "score": 0.9})
    path = tmp_path / "detections.json"
    path.write_text(json.dumps(rows))
    return path


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A network of one convolution in any form, exported once: its keywords are those of `spec.Form`."""
    folder = tmp_path_factory.mktemp("small")

    @cache
    def export(flip_test: bool = False, decode: bool = False, dtype: str = "float32", joints: int = 17) -> Path:
        import torch

        from modelzoo.alphapose import forms
        from modelzoo.alphapose.spec import Form, Structure, identity_of
        from modelzoo.common.export import export_onnx

        torch.manual_seed(0)
        network: Any = torch.nn.Conv2d(3, joints, 4, stride=4)
        network.structure = Structure(joints=joints)
        form = Form(flip_test, decode, dtype)
        path = folder / f"{'flip' * flip_test}{'decode' * decode}{dtype}{joints}.onnx"
        export_onnx(forms.in_form(network, form), identity_of(network.structure, form), path, 1e-4)
        return path

    return export


@pytest.fixture(scope="session")
def slow_people() -> Callable[..., list[list[float]]]:
    """The people in the detector's rows, one comparison at a time: a second implementation, which knows no arrays."""
    f = np.float32

    def overlap(a: list[np.float32], b: list[np.float32]) -> np.float32:
        width = min(a[2], b[2]) - max(a[0], b[0]) + f(1)
        height = min(a[3], b[3]) - max(a[1], b[1]) + f(1)
        common = max(width, f(0)) * max(height, f(0))
        areas = [(box[2] - box[0] + f(1)) * (box[3] - box[1] + f(1)) for box in (a, b)]
        return f(common / (areas[0] + areas[1] - common))

    def choose(boxes: list[list[np.float32]], limit: float) -> list[list[np.float32]]:
        kept: list[list[np.float32]] = []
        for box in boxes:
            if all(overlap(other, box) < f(limit) for other in kept):
                kept.append(box)
        return kept

    def people(rows: np.ndarray, width: int, height: int) -> list[list[float]]:
        boxes = []
        for cx, cy, w, h, objectness, *scores in rows[rows[:, 4] > f(0.1)]:
            if all(scores[0] >= score for score in scores):
                boxes.append([cx - w / f(2), cy - h / f(2), cx + w / f(2), cy + h / f(2), objectness])
        boxes.sort(key=lambda box: -box[4])
        kept = choose(boxes, 0.6)
        kept = choose(boxes, 0.55) if len(kept) > 100 else kept
        scale = min(608 / width, 608 / height)
        left, top = (608 - width * scale) / 2, (608 - height * scale) / 2
        return [
            [
                min(max((float(box[0]) - left) / scale, 0), width),
                min(max((float(box[1]) - top) / scale, 0), height),
                min(max((float(box[2]) - left) / scale, 0), width),
                min(max((float(box[3]) - top) / scale, 0), height),
                float(box[4]),
            ]
            for box in kept
        ]

    return people


@pytest.fixture(scope="session")
def dot_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pose network of pixels: joints of even numbers lie on the reddest spot, odd ones on the bluest; scores 0..1."""
    from onnx import helper

    from modelzoo.alphapose.spec import IMAGES, SPEC
    from modelzoo.common.testing.toys import onnx_model, save_model

    weight = np.zeros((17, 3, 4, 4), np.float32)
    weight[0::2, 0], weight[1::2, 2] = 1 / 16 / 255, 1 / 16 / 255
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=1),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "weight"], ["output"], strides=[4, 4]),
    ]
    model = onnx_model(nodes, [IMAGES["uint8"]], SPEC.outputs, {"weight": weight})
    return save_model(tmp_path_factory.mktemp("dots") / "dots.onnx", model)


@pytest.fixture(scope="session")
def two_detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that sees the same two people in every picture with something white in it, and nobody in others.

    In a picture of 608 x 608 pixels their boxes (x, y, width, height) are (40, 20, 180, 240) and (330, 300, 150, 200).
    """
    from onnx import helper

    from modelzoo.alphapose.spec import DETECTOR
    from modelzoo.common.testing.toys import onnx_model, save_model

    rows = np.zeros((1, 2, 85), np.float32)
    rows[0, :, :6] = [(130, 140, 180, 240, 0.5, 1), (405, 400, 150, 200, 0.9, 1)]
    constants = {
        "rows0": rows,
        "green": np.array([1]),
        "white": np.array(0.9, np.float32),
        "pads": np.array([0, 0, 0, 0, 22743 - 2, 0]),
        "shape": np.array([-1, 1, 1]),
    }
    nodes = [
        helper.make_node("Gather", ["image", "green"], ["greens"], axis=1),
        helper.make_node("ReduceMax", ["greens"], ["brightest"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Greater", ["brightest", "white"], ["bright"]),
        helper.make_node("Cast", ["bright"], ["gate4"], to=1),
        helper.make_node("Reshape", ["gate4", "shape"], ["gate"]),
        helper.make_node("Mul", ["rows0", "gate"], ["seen"]),
        helper.make_node("Pad", ["seen", "pads"], ["rows"]),
    ]
    model = onnx_model(nodes, DETECTOR.inputs, DETECTOR.outputs, constants)
    return save_model(tmp_path_factory.mktemp("two") / "two.onnx", model)


@pytest.fixture
def dotted() -> Callable[..., np.ndarray]:
    """A picture of 608 x 608 pixels, BGR, black but for dots at pairs of places (red, blue), and a white corner."""
    import cv2

    def draw(
        *pairs: tuple[tuple[int, int], tuple[int, int]], white: bool = True, size: tuple[int, int] = (608, 608)
    ) -> np.ndarray:
        image = np.zeros((size[1], size[0], 3), np.uint8)
        for red, blue in pairs:
            cv2.circle(image, red, 7, (0, 0, 255), cv2.FILLED)
            cv2.circle(image, blue, 7, (255, 0, 0), cv2.FILLED)
        if white:
            image[-16:, -16:] = 255
        return image

    return draw


class StubDetector:
    """Finds one person in the middle of every picture."""

    backend, identity = "stub", None

    def __init__(self) -> None:
        from modelzoo.alphapose.spec import DETECTOR

        self.inputs, self.outputs = DETECTOR.inputs, DETECTOR.outputs

    def run(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        rows = np.zeros((len(inputs[0]), 22743, 85), np.float32)
        rows[:, 7, :6] = (304, 304, 200, 300, 0.9, 0.8)
        return (rows,)


@pytest.fixture
def stub_detector(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files from which a detector was opened."""
    opened: list[Path] = []

    def open_stub(path: Path) -> StubDetector:
        opened.append(path)
        return StubDetector()

    monkeypatch.setattr("modelzoo.alphapose.detector.opening.open_detector", open_stub)
    return opened
