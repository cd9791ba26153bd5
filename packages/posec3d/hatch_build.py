"""Where a model package takes modelzoo-common from; every package holds an identical copy of this file.

A static path would end up in the metadata of every release, so the build decides: in a checkout it is the
folder beside the packages, in a release and in an unpacked sdist it is a version range.
"""

import os
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

RELEASED = "modelzoo-common>=0.1,<0.2"


class CommonSource(MetadataHookInterface):
    """Adds modelzoo-common to the dependencies listed under ``[tool.hatch.metadata.hooks.custom]``."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the dependencies in ``metadata``, the ``[project]`` table, which is changed in place."""
        metadata["dependencies"] = [*self.config["dependencies"], common_requirement(Path(self.root))]


def common_requirement(package: Path) -> str:
    """Return the requirement on modelzoo-common of the package in the folder ``package``.

    Any value of the environment variable ``MODELZOO_RELEASE`` asks for the version range in a checkout too.
    """
    common = package.parent.parent / "common"
    in_checkout = (common / "src" / "modelzoo" / "common" / "__init__.py").is_file()
    if in_checkout and not os.environ.get("MODELZOO_RELEASE"):
        return f"modelzoo-common @ {common.as_uri()}"
    return RELEASED
