"""A checkpoint of DG-Net into ONNX files."""

from __future__ import annotations

from pathlib import Path

from modelzoo.common.export import export_onnx, import_exporters
from modelzoo.common.files import write_text
from modelzoo.dgnet.halves import HALVES, half_path
from modelzoo.dgnet.spec import KEEP_DTYPE, SPEC, identity_of

PADS = ("reflect", "gather")
"""How a graph mirrors borders: ONNX's Pad, or look-ups of rows and columns."""

KEEP_FILE = "keep.cfg"
"""How the guide calls the file of `--keep_dtype`; `convert` writes its own."""


def export(
    gen: Path,
    output: Path,
    id_path: Path | None = None,
    dtype: str = "float32",
    halves: bool = False,
    simplify: bool = True,
    pad: str = "reflect",
) -> list[Path]:
    """Export a checkpoint.

    Args:
        gen: The generator's file.
        output: The .onnx file; replaced if it exists.
        id_path: The appearance encoder's file; None for the one beside the generator's.
        dtype: `float32` for normalised pictures, `uint8` for pixels.
        halves: Whether the graph is cut into two encoders and a decoder, named after `output`.
        simplify: False keeps the graphs as torch wrote them.
        pad: How borders are mirrored, one of `PADS`.

    Returns:
        The .onnx files.

    Raises:
        CheckpointError: The checkpoint does not fit.
        ExportError: A graph failed a check; it was not written.
        MissingDependencyError: torch, onnx or onnxsim is not installed.
    """
    import_exporters(SPEC.name)
    from modelzoo.dgnet.networks.dgnet import part_of
    from modelzoo.dgnet.networks.padding import GatheredPadding, with_padding
    from modelzoo.dgnet.weights import load_dgnet

    network = load_dgnet(gen, id_path)
    files = {part: half_path(output, part) for part in HALVES} if halves else {"whole": output}
    for part, file in files.items():
        graph = part_of(network, part, dtype).eval()
        graph = with_padding(graph, GatheredPadding) if pad == "gather" else graph
        export_onnx(graph, identity_of(part, dtype), file, SPEC.tolerance, simplify=simplify)
    return list(files.values())


def write_keep_file(folder: Path) -> bool:
    """Write the guide's keep.cfg, for those who run atc themselves; another file of that name stays.

    Args:
        folder: Where the .onnx files are.

    Returns:
        Whether the file holds our lines.

    Raises:
        WriteError: The file cannot be written.
    """
    path, text = folder / KEEP_FILE, "\n".join([*KEEP_DTYPE, ""])
    if not path.exists():
        write_text(path, text)
    return path.is_file() and path.read_bytes() == text.encode()
