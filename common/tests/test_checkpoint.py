"""Checkpoints in the forms in which people have them, and files that are none or want to run code."""

import hashlib
import os
import pickle
import warnings
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch

from modelzoo.common.checkpoint import describe_keys, load_state_dict, md5_of
from modelzoo.common.errors import CheckpointError, DataError

NETWORK = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
WEIGHTS = NETWORK.state_dict()
PARALLEL = {f"module.{key}": tensor for key, tensor in WEIGHTS.items()}


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.sprung),)


def saved(path: Path, content: object, *, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


FORMS = {
    "plain": WEIGHTS,
    "a plain dict": dict(WEIGHTS),
    "parallel": PARALLEL,
    "in 'model', with an optimiser": {"model": WEIGHTS, "optimizer": {"param_groups": []}, "epoch": 3},
    "in 'state_dict'": {"epoch": 3, "arch": "resnet50", "state_dict": WEIGHTS},
    "in 'model_state_dict'": {"model_state_dict": WEIGHTS},
    "in 'net'": {"net": WEIGHTS, "acc": 0.9},
    "parallel in 'state_dict'": {"state_dict": PARALLEL},
    "in two wrappers": {"model": {"state_dict": PARALLEL}},
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_forms(tmp_path: Path, content: object, zipped: bool) -> None:
    weights = load_state_dict(saved(tmp_path / "w.pth", content, zipped=zipped))
    assert list(weights) == list(WEIGHTS)
    assert all(torch.equal(weights[key], WEIGHTS[key]) for key in WEIGHTS)


def test_prefix_stays_where_not_every_key_has_it(tmp_path: Path) -> None:
    mixed = {"module.weight": torch.ones(1), "bias": torch.ones(1)}
    assert list(load_state_dict(saved(tmp_path / "w.pth", mixed))) == ["module.weight", "bias"]


def test_half_precision_and_counters_stay_as_they_are(tmp_path: Path) -> None:
    content = {"w": torch.ones(2, dtype=torch.float16), "n": torch.tensor(7)}
    weights = load_state_dict(saved(tmp_path / "w.pth", content))
    assert (weights["w"].dtype, weights["n"].dtype) == (torch.float16, torch.int64)


OTHER_CONTENT = {
    "an optimiser": (torch.optim.Adam(NETWORK.parameters()).state_dict(), "optimiser"),
    "an empty dict": ({}, "no weights"),
    "only numbers": ({"epoch": 3}, "no weights"),
    "an empty wrapper": ({"state_dict": {}}, "no weights"),
    "a list": ([torch.ones(1)], "no weights"),
    "a tensor": (torch.ones(1), "no weights"),
    "nothing": (None, "no weights"),
}


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize(("content", "text"), OTHER_CONTENT.values(), ids=OTHER_CONTENT)
def test_other_content_is_refused(tmp_path: Path, content: object, text: str, zipped: bool) -> None:
    with pytest.raises(CheckpointError, match=rf"w\.pth .*{text}"):
        load_state_dict(saved(tmp_path / "w.pth", content, zipped=zipped))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_whole_network_is_refused_with_a_hint(tmp_path: Path, zipped: bool) -> None:
    with pytest.raises(CheckpointError, match="pickle of Python objects") as caught:
        load_state_dict(saved(tmp_path / "w.pth", NETWORK, zipped=zipped))
    assert "torch.save(model.state_dict()" in caught.value.hint


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "beside weights"])
@pytest.mark.parametrize("how", ["zip", "legacy", *(f"protocol {number}" for number in range(6))])
def test_code_in_a_file_is_never_run(tmp_path: Path, how: str, inside: bool) -> None:
    trap = Trap(tmp_path / "sprung")
    content = {"model": WEIGHTS, "extra": trap} if inside else trap
    path = tmp_path / "w.pth"
    if how.startswith("protocol"):
        path.write_bytes(pickle.dumps(content, int(how[-1])))
    else:
        saved(path, content, zipped=how == "zip")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, about the protocol
        with pytest.raises(CheckpointError, match=r"w\.pth"):
            load_state_dict(path)
    assert not (tmp_path / "sprung").exists()


def test_trap_would_be_seen(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "sprung")))
    assert (tmp_path / "sprung").exists()


def zip_bytes() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("query/0001_c1.jpg", b"no weights")
    return buffer.getvalue()


NO_CHECKPOINTS = {
    "0 bytes": b"",
    "1 byte": b"\x80",
    "garbage": bytes(range(256)) * 8,
    "an HTML page": b"<!DOCTYPE html><html>Quota exceeded</html>",
    "a pointer of git-lfs": b"version https://git-lfs.github.com/spec/v1\n",
    "digits": b"12345\n",
    "JSON": b"{}",
    "a zip of something else": zip_bytes(),
}


@pytest.mark.parametrize("data", NO_CHECKPOINTS.values(), ids=NO_CHECKPOINTS)
def test_other_file_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"w\.pth is not a checkpoint written by torch\.save"):
        load_state_dict(tmp_path / "w.pth")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_file_cut_off_anywhere_is_refused(tmp_path: Path, zipped: bool) -> None:
    data = saved(tmp_path / "w.pth", WEIGHTS, zipped=zipped).read_bytes()
    for size in range(1, len(data), 9):
        (tmp_path / "w.pth").write_bytes(data[:size])
        with pytest.raises(CheckpointError, match=r"w\.pth"):
            load_state_dict(tmp_path / "w.pth")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_damaged_file_is_refused_or_read(tmp_path: Path, zipped: bool) -> None:
    """A changed byte may hit a weight, which nobody can know; no other error comes out."""
    data = saved(tmp_path / "w.pth", WEIGHTS, zipped=zipped).read_bytes()
    refused = 0
    for place in range(0, len(data), 5):
        (tmp_path / "w.pth").write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            load_state_dict(tmp_path / "w.pth")
        except CheckpointError:
            refused += 1
    assert refused > 20


def test_torchscript_is_refused_in_one_line(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, about its own future
        torch.jit.trace(NETWORK.eval(), torch.ones(1, 3)).save(tmp_path / "w.pt")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with pytest.raises(CheckpointError, match="TorchScript"):
            load_state_dict(tmp_path / "w.pt")
    assert shown == []


def test_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    saved(tmp_path / "market_resnet50.pth", WEIGHTS)
    with pytest.raises(DataError, match="no such checkpoint file") as caught:
        load_state_dict(tmp_path / "market_resnet5O.pth")
    assert "market_resnet50.pth" in caught.value.hint


def test_folder_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a file"):
        load_state_dict(tmp_path)


def test_md5(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"abc" * 100_000)
    assert md5_of(tmp_path / "w.pth") == hashlib.md5(b"abc" * 100_000).hexdigest()


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b, c"), (["a", "b", "c", "d", "e"], "a, b, c and 2 more")],
)
def test_keys_are_described(names: list[str], text: str) -> None:
    assert describe_keys(names) == text


def test_checkpoint_that_contains_itself_is_refused(tmp_path: Path) -> None:
    endless: dict[str, object] = {}
    endless["model"] = {"state_dict": endless}
    torch.save(endless, tmp_path / "endless.pth")
    with pytest.raises(CheckpointError, match=r"endless\.pth holds no weights"):
        load_state_dict(tmp_path / "endless.pth")
