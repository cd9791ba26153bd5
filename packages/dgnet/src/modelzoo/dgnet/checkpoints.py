"""Where a checkpoint lies: two files, generator and appearance encoder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from modelzoo.common.errors import CheckpointError
from modelzoo.common.files import existing_file, neighbour_hint

FILE_NAME = re.compile(r"(gen|id)(_(\d+)\.pt)")
"""How the upstream names the files of a checkpoint: what it is, and after how many iterations."""

NAME, ITERATIONS = "E0.5new_reid0.5_w30000", 100_000
"""The published checkpoint, the default of the guide's script."""

OUTPUTS = Path("outputs")
"""Where the upstream keeps its checkpoints."""

WHICH = "--gen takes gen_*.pt, --id takes id_*.pt"


@dataclass(frozen=True)
class Checkpoint:
    """The files of a checkpoint.

    Args:
        gen: Structure encoder and decoder.
        id: The appearance encoder.
        config: The configuration that lies beside them, or None.
    """

    gen: Path
    id: Path
    config: Path | None = None


def published_checkpoint(name: str = NAME, iterations: int = ITERATIONS) -> Checkpoint:
    """The files where the upstream lays them: `./outputs/NAME/checkpoints/gen_00100000.pt` and so on.

    Args:
        name: Of the training.
        iterations: After how many.

    Raises:
        DataError: A weights file is missing.
    """
    folder = OUTPUTS / name
    gen, id_ = (folder / "checkpoints" / f"{kind}_{iterations:08d}.pt" for kind in ("gen", "id"))
    config = folder / "config.yaml"
    return Checkpoint(
        existing_file(gen, "checkpoint"), existing_file(id_, "checkpoint"), config if config.exists() else None
    )


def given_checkpoint(gen: Path, id_path: Path | None = None) -> Checkpoint:
    """The files that somebody named, with the one that he left out.

    Args:
        gen: The generator's file.
        id_path: The appearance encoder's; None for the one beside the generator's, `id_` in place of `gen_`.

    Raises:
        CheckpointError: The other file is missing, or not of the same training by its name.
        DataError: A file that was named is missing.
    """
    existing_file(gen, "checkpoint")
    id_path = existing_file(id_path, "checkpoint") if id_path else _id_beside(gen)
    matches = (FILE_NAME.fullmatch(path.name) for path in (gen, id_path))
    if len({int(match[3]) for match in matches if match}) > 1:
        text = f"{gen} and {id_path} are of unlike iterations, not of one checkpoint"
        raise CheckpointError(text, "they are trained together: give files of one number")
    return Checkpoint(gen, id_path)


def _id_beside(gen: Path) -> Path:
    match = FILE_NAME.fullmatch(gen.name)
    if match and match[1] == "id":
        raise CheckpointError(f"{gen} is the appearance encoder's file by its name, not the generator's", WHICH)
    beside = gen.with_name(f"id{match[2]}") if match else None
    if beside and beside.is_file():
        return beside
    looked = f"there is no {beside}" if beside else f"{gen.name} is not called gen_NUMBER.pt"
    hint = (beside and neighbour_hint(beside)) or "lay it beside, called id_NUMBER.pt, or name it with --id"
    raise CheckpointError(f"{gen} is one of two files, and the appearance encoder's is missing: {looked}", hint)
