"""Checkpoints in the forms in which people have them, wrong pairs, and files that are something else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from modelzoo.common.errors import CheckpointError, DataError
from modelzoo.common.testing.plugin import Finished
from modelzoo.dgnet import weights
from modelzoo.dgnet.checkpoints import Checkpoint, given_checkpoint, published_checkpoint
from modelzoo.dgnet.weights import load_dgnet, load_network

State = dict[str, torch.Tensor]
Keys = dict[str, dict[str, tuple[tuple[int, ...], str, str]]]
Commands = Callable[..., Finished]

ITERATIONS = "00100000"


@pytest.fixture
def states(published_keys: Keys) -> dict[str, State]:
    """Both files' tensors; each is a single number that is shown as the whole shape, so that files are small."""
    return {
        kind: {
            key: torch.full((), number, dtype=getattr(torch, dtype)).expand(shape)
            for number, (key, (shape, dtype, _)) in enumerate(rows.items())
        }
        for kind, rows in published_keys.items()
    }


@pytest.fixture
def save(tmp_path: Path, states: dict[str, State]) -> Callable[..., Path]:
    """Write both files as the upstream does, or something else in their place; return the generator's."""

    def write(gen: Any = None, id_: Any = None) -> Path:
        for kind, content in (("gen", gen), ("id", id_)):
            torch.save({"a": states[kind]} if content is None else content, tmp_path / f"{kind}_{ITERATIONS}.pt")
        return tmp_path / f"gen_{ITERATIONS}.pt"

    return write


def prefixed(state: State) -> State:
    return {f"module.{key}": value for key, value in state.items()}


FORMS: dict[str, Callable[[State], Any]] = {
    "as published": lambda state: {"a": state},
    "of an older version": lambda state: {"a": state, "b": {key: value + 1 for key, value in state.items()}},
    "plain": lambda state: state,
    "parallel": lambda state: {"a": prefixed(state)},
    "in state_dict": lambda state: {"state_dict": state},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_weights(form: str, states: dict[str, State], save: Callable[..., Path]) -> None:
    path = save(FORMS[form](states["gen"]), FORMS[form](states["id"]))
    loaded = load_dgnet(path).state_dict()
    for file, kind in ((weights.GENERATOR, "gen"), (weights.APPEARANCE, "id")):
        for key, name in file.keys(loaded).items():
            assert torch.equal(loaded[key], states[kind][name]), name


def test_a_loaded_network_is_in_evaluation_mode(save: Callable[..., Path]) -> None:
    path = save()
    for form in ({}, {"dtype": "uint8"}, {"part": "decoder"}):
        assert not any(module.training for module in load_network(path, **form).modules())


def test_another_number_of_identities_makes_no_difference(states: dict[str, State], save: Callable[..., Path]) -> None:
    duke = {
        key: torch.zeros(702, *value.shape[1:]) if value.shape[:1] == (751,) else value
        for key, value in states["id"].items()
    }
    assert sum(len(value) == 702 for value in duke.values() if value.ndim) == 4
    load_dgnet(save(id_={"a": duke}))


@pytest.mark.parametrize(
    ("gen", "id_", "told"),
    [
        ("id", "gen", "gen_00100000.pt holds the appearance encoder, not the generator"),
        ("id", "id", "gen_00100000.pt holds the appearance encoder, not the generator"),
        ("gen", "gen", "id_00100000.pt holds the generator, not the appearance encoder"),
    ],
)
@pytest.mark.parametrize("form", ["as published", "plain"])
def test_files_in_each_others_place_are_named(
    gen: str,
    id_: str,
    told: str,
    form: str,
    states: dict[str, State],
    save: Callable[..., Path],
    tmp_path: Path,
    dgnet: Commands,
) -> None:
    path = save(FORMS[form](states[gen]), FORMS[form](states[id_]))
    done = dgnet("export", "--gen", path, "--output", tmp_path / "x.onnx")
    assert (done.code, done.error) == (1, f"{tmp_path}/{told}")
    assert done.hint == "--gen takes gen_*.pt, --id takes id_*.pt"
    assert len(list(tmp_path.iterdir())) == 2


CHANGES: dict[str, tuple[str, Callable[[State], object], str]] = {
    "a key less": ("gen", lambda s: s.pop("mlp_b3.model.1.fc.bias"), "1 keys missing (mlp_b3.model.1.fc.bias)"),
    "a key less of what no picture depends on": (
        "gen",
        lambda s: s.pop("dec.model.1.model.2.model.1.norm.running_var"),
        "1 keys missing (dec.model.1.model.2.model.1.norm.running_var)",
    ),
    "a key more": ("gen", lambda s: s.update({"dec.model.9.conv.bias": torch.ones(3)}), "1 keys unknown (dec.model.9"),
    "twice as wide": (
        "gen",
        lambda s: s.update({"enc_content.model.0.conv.weight": torch.ones(32, 1, 3, 3)}),
        "1 keys of another shape (enc_content.model.0.conv.weight)",
    ),
    "colour structures": (
        "gen",
        lambda s: s.update({"enc_content.model.0.conv.weight": torch.ones(16, 3, 3, 3)}),
        "1 keys of another shape (enc_content.model.0.conv.weight)",
    ),
    "a counter less": (
        "id",
        lambda s: s.pop("model.bn1.num_batches_tracked"),
        "1 keys missing (model.bn1.num_batches_tracked)",
    ),
    "one classifier": (
        "id",
        lambda s: [s.pop(key) for key in list(s) if key.startswith("classifier2")],
        "9 keys missing (classifier2.add_block.1.weight",
    ),
    "a classifier more": ("id", lambda s: s.update({"classifier3.bias": torch.ones(3)}), "1 keys unknown (classifier3"),
    "no first layer": ("id", lambda s: s.update({"model.fc.weight": torch.ones(())}), "1 keys of another shape"),
}


@pytest.mark.parametrize(("kind", "change", "told"), CHANGES.values(), ids=CHANGES)
def test_other_weights_are_named(
    kind: str, change: Callable[[State], object], told: str, states: dict[str, State], save: Callable[..., Path]
) -> None:
    change(states[kind])
    path = save()
    with pytest.raises(CheckpointError) as caught:
        load_dgnet(path)
    what = {"gen": "generator", "id": "appearance encoder"}[kind]
    assert str(caught.value).startswith(f"{path.with_name(f'{kind}_{ITERATIONS}.pt')} is not the {what} of a DG-Net: ")
    assert told in str(caught.value)


def test_another_model_is_named(save: Callable[..., Path]) -> None:
    with pytest.raises(CheckpointError, match=r"134 keys missing .* 1 keys unknown \(fc_bin\.0\)"):
        load_dgnet(save(gen={"fc_bin.0": torch.ones(62, 128, 256)}))
    with pytest.raises(CheckpointError, match="holds no weights"):
        load_dgnet(save(gen={"a": {}}))


class Touch:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["gen", "id"])
def test_a_malicious_pickle_is_not_run(
    kind: str, save: Callable[..., Path], states: dict[str, State], tmp_path: Path, dgnet: Commands
) -> None:
    evil = {"a": {**states[kind], "b": Touch(tmp_path / "executed")}}
    path = save(**{"gen" if kind == "gen" else "id_": evil})
    done = dgnet("export", "--gen", path, "--output", tmp_path / "x.onnx")
    assert done.code == 1
    assert f"{kind}_{ITERATIONS}.pt is a pickle of Python objects" in done.error
    assert len(list(tmp_path.iterdir())) == 2


def touched(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_the_other_file_is_found_beside(tmp_path: Path) -> None:
    touched(tmp_path, "gen_00100000.pt", "id_00100000.pt", "id_00090000.pt", "other/enc.pt", "gen.pt")
    gen, other = tmp_path / "gen_00100000.pt", tmp_path / "other" / "enc.pt"
    assert given_checkpoint(gen) == Checkpoint(gen, tmp_path / "id_00100000.pt")
    assert given_checkpoint(gen, other) == Checkpoint(gen, other)
    assert given_checkpoint(tmp_path / "gen.pt", other) == Checkpoint(tmp_path / "gen.pt", other)


MISSING: dict[str, tuple[str, str, str]] = {
    "nothing beside": (
        "gen_00050000.pt",
        "gen_00050000.pt is one of two files, and the appearance encoder's is missing: there is no {}/id_00050000.pt",
        "did you mean {}/id_00090000.pt?",
    ),
    "another name": (
        "generator.pt",
        "generator.pt is one of two files, and the appearance encoder's is missing: "
        "generator.pt is not called gen_NUMBER.pt",
        "lay it beside, called id_NUMBER.pt, or name it with --id",
    ),
    "the other file": (
        "id_00090000.pt",
        "id_00090000.pt is the appearance encoder's file by its name, not the generator's",
        "--gen takes gen_*.pt, --id takes id_*.pt",
    ),
}


@pytest.mark.parametrize(("name", "told", "hint"), MISSING.values(), ids=MISSING)
def test_the_other_file_is_missing(name: str, told: str, hint: str, tmp_path: Path, dgnet: Commands) -> None:
    touched(tmp_path, "gen_00050000.pt", "generator.pt", "id_00090000.pt")
    done = dgnet("export", "--gen", tmp_path / name, "--output", tmp_path / "x.onnx")
    assert (done.code, done.error) == (1, f"{tmp_path}/{told.format(tmp_path)}")
    assert done.hint == hint.format(tmp_path)


def test_files_of_unlike_iterations_are_no_pair(tmp_path: Path) -> None:
    touched(tmp_path, "gen_00100000.pt", "id_00090000.pt", "id_0100000.pt")
    with pytest.raises(CheckpointError, match=r"gen_00100000\.pt and .*id_00090000\.pt are of unlike iterations"):
        given_checkpoint(tmp_path / "gen_00100000.pt", tmp_path / "id_00090000.pt")
    assert given_checkpoint(tmp_path / "gen_00100000.pt", tmp_path / "id_0100000.pt")


def test_the_published_checkpoint_is_where_the_upstream_lays_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("outputs/E0.5new_reid0.5_w30000")
    names = ("gen_00100000.pt", "id_00100000.pt", "gen_00000005.pt")
    touched(tmp_path, *(f"{folder}/checkpoints/{name}" for name in names))
    gen, id_ = (folder / "checkpoints" / name for name in names[:2])
    assert published_checkpoint() == Checkpoint(gen, id_)
    (folder / "config.yaml").touch()
    assert published_checkpoint() == Checkpoint(gen, id_, folder / "config.yaml")
    with pytest.raises(DataError, match=r"no such checkpoint file: .*/id_00000005\.pt"):
        published_checkpoint(iterations=5)
    with pytest.raises(DataError, match=r"outputs/duke/checkpoints/gen_00100000\.pt"):
        published_checkpoint("duke")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--id", "id_00100000.pt"], "--id needs --gen, the other file of the checkpoint"),
        (
            ["--gen", "a.pt", "--name", "x"],
            "--gen names a file: --name and --which_epoch are for a checkpoint",
        ),
        (["--gen", "a.pt", "--which_epoch", "0"], "--gen names a file: --name and --which_epoch are for a checkpoint"),
    ],
)
def test_flags_that_contradict_one_another(words: list[str], told: str, dgnet: Commands) -> None:
    done = dgnet("export", *words)
    assert done.code == 2
    assert done.error.startswith(told)
