"""The identity of a model file: written into ONNX metadata at export, copied beside an .om, read by every session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelzoo.common.errors import ModelError
from modelzoo.common.spec import Identity, TensorSpec

METADATA_KEY = "modelzoo"


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


def from_json(text: str, source: str) -> Identity:
    """Read what `to_json` wrote.

    Args:
        text: The JSON text.
        source: The file it comes from, for the message.

    Raises:
        ModelError: It is not such a text.
    """
    try:
        content = json.loads(text)
        return Identity(
            model=str(content["model"]),
            version=str(content["version"]),
            inputs=tuple(_tensor_from_dict(tensor) for tensor in content["inputs"]),
            outputs=tuple(_tensor_from_dict(tensor) for tensor in content["outputs"]),
            form=dict(content.get("form", {})),
            atc=dict(content.get("atc", {})),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{source}: its modelzoo metadata cannot be read ({error})") from error


def from_metadata(metadata: Mapping[str, str], source: str) -> Identity | None:
    """The identity in a model's metadata, or None for a file that was exported elsewhere."""
    text = metadata.get(METADATA_KEY)
    return None if text is None else from_json(text, source)


def _tensor_to_dict(tensor: TensorSpec) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape), "layout": tensor.layout}


def _tensor_from_dict(content: Mapping[str, Any]) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) else str(size) for size in content["shape"])
    return TensorSpec(str(content["name"]), str(content["dtype"]), shape, str(content.get("layout", "")))
