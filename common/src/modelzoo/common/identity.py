"""The identity of a model file: written into ONNX metadata at export, copied beside an .om, read by every session."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from modelzoo.common.errors import ModelError
from modelzoo.common.spec import Identity, TensorSpec

METADATA_KEY = "modelzoo"

INPUT_FORMATS = ("NCHW", "ND", "NCDHW")
"""What atc takes as `--input_format` of an ONNX file."""

MAX_SIZE = 2**31
"""Sizes in a shape are below it."""


def to_json(identity: Identity) -> str:
    """The identity as one line of JSON, keys in a fixed order."""
    content = {
        "model": identity.model,
        "version": identity.version,
        "inputs": [_tensor_to_dict(tensor) for tensor in identity.inputs],
        "outputs": [_tensor_to_dict(tensor) for tensor in identity.outputs],
        "form": dict(identity.form),
        "atc": dict(identity.atc),
    }
    return json.dumps(content)


def from_json(text: str | bytes, source: str) -> Identity:
    """Read what `to_json` wrote; anybody may have written it, so that every field is checked.

    Args:
        text: The JSON text.
        source: The file it comes from, for the message.

    Raises:
        ModelError: It is not such a text.
    """
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode()  # half a character cannot be shown or written
        return _identity(content)
    except (ValueError, RecursionError) as error:  # UnicodeError is a ValueError
        raise ModelError(f"{source}: its modelzoo metadata cannot be read ({error})") from error


def from_metadata(metadata: Mapping[str, str], source: str) -> Identity | None:
    """The identity in a model's metadata, or None for a file that was exported elsewhere."""
    text = metadata.get(METADATA_KEY)
    return None if text is None else from_json(text, source)


def of_graph(identity: Identity, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], source: str) -> Identity:
    """The identity with the sizes that the graph fixes.

    Args:
        identity: What the file says of itself.
        inputs: What its graph takes.
        outputs: What its graph returns.
        source: The file, for the message.

    Raises:
        ModelError: The two have other tensors: names, dtypes, numbers of axes, or sizes that the identity fixes.
    """
    for kind, said, own in (("inputs", identity.inputs, inputs), ("outputs", identity.outputs, outputs)):
        if len(said) != len(own) or not all(map(_agree, said, own)):
            texts = (", ".join(tensor.describe() for tensor in tensors) for tensors in (own, said))
            text = "the {} of its graph are {}, its modelzoo metadata says {}".format(kind, *texts)
            raise ModelError(
                f"{source}: {text}", "the graph or its metadata was changed after the export; export it again"
            )
    return replace(identity, inputs=tuple(inputs), outputs=tuple(map(_fixed, identity.outputs, outputs)))


def _agree(said: TensorSpec, own: TensorSpec) -> bool:
    sizes = zip(said.shape, own.shape, strict=False)
    same = (said.name, said.dtype, len(said.shape)) == (own.name, own.dtype, len(own.shape))
    return same and all(have == want for want, have in sizes if isinstance(want, int))


def _fixed(said: TensorSpec, own: TensorSpec) -> TensorSpec:
    sizes = zip(said.shape, own.shape, strict=True)
    return replace(said, shape=tuple(have if isinstance(have, int) else name for name, have in sizes))


def _tensor_to_dict(tensor: TensorSpec) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape), "layout": tensor.layout}


def _identity(content: Any) -> Identity:
    _check("it", content, isinstance(content, dict), "an object")
    model, version = content.get("model"), content.get("version")
    form, atc = content.get("form", {}), content.get("atc", {})
    _check("model", model, _is_text(model), "a text of one line")
    _check("version", version, _is_text(version), "a text of one line")
    scalars = isinstance(form, dict) and all(isinstance(value, str | int | float | None) for value in form.values())
    _check("form", form, scalars, "an object of texts, numbers, true, false and null")
    _check("atc", atc, isinstance(atc, dict), "an object")
    known = atc.get("input_format", "ND")
    _check("atc.input_format", known, known in INPUT_FORMATS, f"one of {', '.join(INPUT_FORMATS)}")
    keep = atc.get("keep_dtype", [])
    _check("atc.keep_dtype", keep, isinstance(keep, list) and all(map(_is_name, keep)), "a list of texts of one line")
    return Identity(model, version, _tensors(content, "inputs"), _tensors(content, "outputs"), form, atc)


def _tensors(content: Mapping[str, Any], kind: str) -> tuple[TensorSpec, ...]:
    tensors = content.get(kind)
    _check(kind, tensors, isinstance(tensors, list) and len(tensors) > 0, "a list of tensors")
    return tuple(_tensor(tensor, f"{kind}[{i}]") for i, tensor in enumerate(content[kind]))


def _tensor(content: Any, field: str) -> TensorSpec:
    from modelzoo.common.sessions.onnxruntime import DTYPES

    _check(field, content, isinstance(content, dict), "an object")
    name, dtype, shape, layout = (content.get(key) for key in ("name", "dtype", "shape", "layout"))
    _check(f"{field}.name", name, _is_name(name), "a text of one line")
    _check(f"{field}.dtype", dtype, dtype in [*DTYPES.values()], f"one of {', '.join(DTYPES.values())}")
    sizes = isinstance(shape, list) and all(map(_is_size, shape)) and (bool(shape) or field.startswith("out"))
    _check(f"{field}.shape", shape, sizes, "a list of sizes from 1 and names of axes, the batch first")
    _check(f"{field}.layout", layout, layout is None or _is_text(layout), "a text of one line")
    return TensorSpec(name, dtype, tuple(shape), layout or "")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_name(value: Any) -> bool:
    return _is_text(value) and value != ""


def _is_size(value: Any) -> bool:
    """Whether it is a size, or a name as graphs from elsewhere (`floor(H/2)`) and atc (`1~8`) have them too."""
    return _is_name(value) or (type(value) is int and 0 < value < MAX_SIZE)


def _check(field: str, value: Any, fits: bool, wanted: str) -> None:
    if not fits:
        raise ValueError(f"{field} is {reprlib.repr(value)}, not {wanted}")
