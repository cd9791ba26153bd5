"""Which tests a change needs: changed paths in, ``name=value`` lines for ``$GITHUB_OUTPUT`` out.

python tools/ci_plan.py --base origin/main    what differs from there
python tools/ci_plan.py common/src/x.py       these paths
python tools/ci_plan.py                       nothing is known about the change: everything
"""

import argparse
import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Plan:
    """The packages to test: model packages by folder name, and whether modelzoo-common is one of them."""

    models: tuple[str, ...]
    common: bool

    def lines(self) -> str:
        """Return the plan as lines of ``$GITHUB_OUTPUT``.

        >>> print(Plan(("gaitset", "reid"), common=False).lines())
        models=["gaitset", "reid"]
        common=false
        """
        return f"models={json.dumps(self.models)}\ncommon={json.dumps(self.common)}"


def discover_models(root: Path) -> tuple[str, ...]:
    """Return the folder names of the model packages of the repository at ``root``, sorted."""
    return tuple(sorted(path.parent.name for path in root.glob("packages/*/pyproject.toml")))


def is_text(path: str) -> bool:
    """Say whether people only read ``path``: documentation and licence texts outside the packages.

    >>> is_text("README.md"), is_text("docs/picture.png"), is_text("packages/reid/README.md")
    (True, True, False)
    """
    match PurePosixPath(path).parts:
        case ("docs", _, *_):
            return True
        case (name,):
            return name in {"LICENSE", "NOTICE"} or name.endswith(".md")
        case _:
            return False


def plan_paths(paths: Iterable[str], models: Sequence[str]) -> Plan:
    """Return what a change of ``paths`` (from the repository's root, with ``/``) can break.

    A file of a model concerns this model, a text for people nothing; any other file, known or not, all.

    >>> plan_paths(["packages/reid/tests/test_cli.py", "README.md"], ["gaitset", "reid"])
    Plan(models=('reid',), common=False)
    """
    touched: set[str] = set()
    for path in paths:
        match PurePosixPath(path).parts:
            case ("packages", model, _, *_) if model in models:
                touched.add(model)
            case _ if not is_text(path):
                return Plan(tuple(models), common=True)
    return Plan(tuple(sorted(touched)), common=False)


def changed_paths(base: str, root: Path) -> list[str] | None:
    """Return the paths that differ between HEAD and where it left ``base``, or None if ``base`` is unknown.

    A renamed file counts with both names: what it left may be broken as well.
    """
    command = ["git", "diff", "--name-only", "--no-renames", "-z", "--end-of-options", f"{base}...HEAD", "--"]
    diff = subprocess.run(command, cwd=root, capture_output=True, check=False)
    return None if diff.returncode else diff.stdout.decode(errors="replace").split("\0")[:-1]


def main(argv: Sequence[str] | None = None, root: Path = ROOT) -> None:
    """Print the plan for the paths given, for what differs from ``--base``, or for an unknown change."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--base", metavar="REF", help="a commit; an unknown one plans everything")
    known.add_argument("paths", nargs="*", default=[], metavar="PATH", help="changed path, from the root")
    args = parser.parse_args(argv)
    models = discover_models(root)
    paths = changed_paths(args.base, root) if args.base else args.paths or None
    print((Plan(models, common=True) if paths is None else plan_paths(paths, models)).lines())


if __name__ == "__main__":
    main()
