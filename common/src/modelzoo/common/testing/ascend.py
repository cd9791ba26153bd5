"""Fakes of Ascend's Python packages for tests: `ais_bench` and `aclruntime` in a folder on the module path. No NPU."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelzoo.common import identity
from modelzoo.common.spec import Identity
from modelzoo.common.testing.fake_aclruntime import MAGIC
from modelzoo.common.testing.fake_ais_bench import FAULTS, GENERATIONS

FRONT_END = '''"""Fake ais_bench."""
from modelzoo.common.testing.fake_ais_bench import main
main({generation!r}, {fault!r})
'''
INTERFACE = '''"""Fake ais_bench.infer.interface."""
from modelzoo.common.testing.fake_ais_bench import InferSession
'''
RUNTIME = '''"""Fake aclruntime."""
from modelzoo.common.testing.fake_aclruntime import BaseTensor, InferenceSession, Tensor
from modelzoo.common.testing.fake_aclruntime import DataType as dtype
from modelzoo.common.testing.fake_aclruntime import SessionOptions as session_options
from modelzoo.common.testing.fake_aclruntime import TensorDesc as tensor_desc
'''
HIDDEN = '''"""Hides modules, as if they were not installed."""
import sys
sys.modules.update(dict.fromkeys({names!r}))
'''


@dataclass(frozen=True)
class FakeAisBench:
    """The folder on the module path that holds the fakes.

    Args:
        site: The folder.
    """

    site: Path

    def install(self, generation: str = "2023-06", fault: str = "") -> None:
        """Put the fakes in, or change what they do.

        Args:
            generation: One of `GENERATIONS`.
            fault: One of `FAULTS`, or nothing.
        """
        assert generation in GENERATIONS
        assert fault in ("", *FAULTS)
        self.write("ais_bench/__init__.py", '"""Fake ais_bench."""\n')
        self.write("ais_bench/__main__.py", FRONT_END.format(generation=generation, fault=fault))
        self.write("ais_bench/infer/__init__.py", '"""Fake ais_bench.infer."""\n')
        self.write("ais_bench/infer/interface.py", INTERFACE)
        self.write("aclruntime.py", RUNTIME)
        if generation == "2024-06":
            self.write("ais_bench/infer/path_security_check.py", '"""Fake: its presence tells the generation."""\n')
            self.write("pkg_resources.py", '"""Fake, as of setuptools before 82."""\n')

    def install_namesake(self) -> None:
        """Put in the package for language models that has the same name: no `infer`, no `__main__`."""
        self.write("ais_bench/__init__.py", '"""Fake of the namesake on PyPI."""\n')
        self.write("ais_bench/benchmark/__init__.py", '"""Fake of the namesake on PyPI."""\n')

    def hide(self, *names: str) -> None:
        """Make modules missing in every Python that is started."""
        self.write("sitecustomize.py", HIDDEN.format(names=names))

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder."""
        (self.site / name).parent.mkdir(parents=True, exist_ok=True)
        (self.site / name).write_text(text)


def write_om(path: Path, model: Any, identity_: Identity | None = None) -> Path:
    """Write a fake .om file, and its description if there is one.

    Args:
        path: The file.
        model: An `onnx.ModelProto` whose batch is fixed.
        identity_: For the .json beside it.
    """
    path.write_bytes(MAGIC + model.SerializeToString())
    if identity_:
        path.with_suffix(".json").write_text(identity.to_json(identity_))
    return path


def install_fakes(site: Path, patch: pytest.MonkeyPatch) -> FakeAisBench:
    """Put a folder with the fakes first on the module path of this process and of those that it starts.

    Args:
        site: An empty folder.
        patch: Undoes it.
    """
    fake = FakeAisBench(site)
    fake.install()
    patch.syspath_prepend(site)
    patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH")))))
    patch.delenv("ASCEND_PYTHON", raising=False)
    return fake


def forget_fakes() -> None:
    """Forget what was imported from the fakes, so that the next test imports its own."""
    for name in [name for name in sys.modules if name.partition(".")[0] in {"ais_bench", "aclruntime"}]:
        del sys.modules[name]
