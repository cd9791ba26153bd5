"""DG-Net's exported graph beside the straight export of the network as the original writes it, on ONNX Runtime.

Graphs of the same seeded weights: straight (padding of slices and concatenations, as the guide's conversion has it; a
deviation of its own steps; the appearance applied as the weights of a batch normalisation), the same simplified, ours,
and ours with its padding as two look-ups in place of ONNX's Pad, which some CANN releases refuse. Then a grid of
pictures by the whole graph and by its halves.

    python tools/benchmarks/dgnet_graph.py [--rounds 10] [--batch 1] [--grid 3]
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import torch
from measure import interleaved, line, median_ratio
from torch import nn

from modelzoo.common.export import export_onnx
from modelzoo.common.session import Session, open_session
from modelzoo.dgnet.halves import HALVES, Halves, half_path, open_halves
from modelzoo.dgnet.networks.blocks import LayerNorm, StyledConv
from modelzoo.dgnet.networks.dgnet import DGNet
from modelzoo.dgnet.networks.padding import GatheredPadding, with_padding
from modelzoo.dgnet.spec import HEIGHT, SPEC, WIDTH, identity_of


class SlicedPadding(nn.Module):
    """Mirrored borders, a row and a column at a time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to `(N, C, H + 2 width, W + 2 width)`."""
        for axis in (2, 3):
            size = x.shape[axis]
            before = [x.narrow(axis, i, 1) for i in range(self.width, 0, -1)]
            behind = [x.narrow(axis, size - 2 - i, 1) for i in range(self.width)]
            x = torch.cat([*before, x, *behind], axis)
        return x


class StepwiseNorm(LayerNorm):
    """A layer norm of flat samples, with torch's own deviation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to the same shape."""
        flat = x.view(x.size(0), -1)
        mean, deviation = flat.mean(1).view(-1, 1, 1, 1), flat.std(1).view(-1, 1, 1, 1)
        return (x - mean) / (deviation + self.EPSILON) * self.gamma.view(1, -1, 1, 1) + self.beta.view(1, -1, 1, 1)


class BatchStyledConv(StyledConv):
    """A styled convolution whose samples and channels become the channels of a batch normalisation."""

    def forward(self, x: torch.Tensor, deviation: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        """Map `(N, C, H, W)` to the same shape."""
        x = self.conv(self.pad(x))
        flat = x.contiguous().view(1, x.size(0) * x.size(1), *x.size()[2:])
        spread = flat.var((2, 3), unbiased=False, keepdim=True) + 1e-5
        flat = (flat - flat.mean((2, 3), keepdim=True)) / spread.sqrt()
        flat = flat * deviation.contiguous().view(1, -1, 1, 1) + mean.contiguous().view(1, -1, 1, 1)
        return self.activation(flat.view(x.size(0), x.size(1), *flat.size()[2:]))


def seeded_network() -> DGNet:
    """A network whose layers keep the range, as in a trained one."""
    torch.manual_seed(0)
    network = DGNet().eval()
    for name, weights in network.named_parameters():
        if weights.ndim > 1:
            nn.init.normal_(weights, std=(2 / weights[0].numel()) ** 0.5)
        elif name.endswith("bn3.weight"):
            nn.init.constant_(weights, 0.25)
    return network


def straight(network: DGNet) -> nn.Module:
    """The network as the original writes it."""
    other = with_padding(network, SlicedPadding)
    for module in other.modules():
        kinds = {LayerNorm: StepwiseNorm, StyledConv: BatchStyledConv}
        module.__class__ = kinds.get(type(module), type(module))
    return other


def write_graphs(folder: Path, network: DGNet) -> dict[str, Path]:
    """Export every form of a network, and its halves beside `ours.onnx`."""
    plan = {
        "straight": (straight(network), False),
        "simplified": (straight(network), True),
        "ours": (network, True),
        "gathered": (with_padding(network, GatheredPadding), True),
    }
    for part in HALVES:
        module = network.get_submodule(part)
        export_onnx(module, identity_of(part), half_path(folder / "ours.onnx", part), SPEC.tolerance)
    return {
        name: export_onnx(module, identity_of(), folder / f"{name}.onnx", SPEC.tolerance, simplify=simplify)
        for name, (module, simplify) in plan.items()
    }


def show(seconds: dict[str, list[float]], floor: str, notes: dict[str, str]) -> None:
    """Print times, their ratio to a floor in the same round, and notes."""
    for name, rows in seconds.items():
        ratio = median_ratio(seconds, name, floor)
        print(line(name, rows, f"{ratio:.2f} of the time of {floor}  {notes.get(name, '')}"))


def grid_by_whole(whole: Session, greys: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Every structure in every appearance, `(n, m, 3, 256, 128)`: n x m runs of the whole network."""
    repeated = (np.repeat(grey[None], len(colours), 0) for grey in greys)
    return np.stack([whole.run(batch, colours)[0] for batch in repeated])


def grid_by_halves(halves: Halves, greys: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The same with n + m encodings."""
    (structures,), (appearances,) = halves.structure.run(greys), halves.appearance.run(colours)
    repeated = (np.repeat(code[None], len(appearances), 0) for code in structures)
    return np.stack([halves.decoder.run(batch, appearances)[0] for batch in repeated])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--grid", type=int, default=3)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    count = max(arguments.batch, arguments.grid)
    greys, colours = (rng.standard_normal((count, c, HEIGHT, WIDTH)).astype(np.float32) for c in (1, 3))
    with tempfile.TemporaryDirectory() as folder:
        paths = write_graphs(Path(folder), seeded_network())
        sessions = {name: open_session(path, SPEC) for name, path in paths.items()}
        batch = greys[: arguments.batch], colours[: arguments.batch]
        outputs = {name: session.run(*batch)[0] for name, session in sessions.items()}
        notes = {
            name: f"{len(onnx.load(path).graph.node):>4} nodes  "
            f"max difference {np.abs(outputs[name] - outputs['straight']).max():.1e}"
            for name, path in paths.items()
        }
        print(f"batch {arguments.batch}")
        runs = {name: partial(session.run, *batch) for name, session in sessions.items()}
        show(interleaved(arguments.rounds, **runs), "straight", notes)
        images = greys[: arguments.grid], colours[: arguments.grid]
        steps = {
            "whole": partial(grid_by_whole, sessions["ours"], *images),
            "halves": partial(grid_by_halves, open_halves(paths["ours"]), *images),
        }
        apart = np.abs(np.subtract(steps["whole"](), steps["halves"]())).max()
        print(f"grid of {arguments.grid} x {arguments.grid} pictures")
        show(interleaved(arguments.rounds, **steps), "whole", {"halves": f"max difference {apart:.1e}"})


if __name__ == "__main__":
    main()
