"""GaitSet's exported graph beside the straight export of the network as the original writes it, on ONNX Runtime.

Three graphs of the same seeded weights: straight (with every shape looked up at run time), the same simplified, and
ours; and ours with a free frame axis on sequences of fewer frames, beside the zero-padded form of the same sequences.

    python tools/benchmarks/gaitset_graph.py [--rounds 20] [--batch 1]
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from torch.nn.functional import leaky_relu, max_pool2d

from modelzoo.common.export import export_onnx
from modelzoo.common.session import Session, open_session
from modelzoo.gaitset.network import CasiaB
from modelzoo.gaitset.spec import DYNAMIC, FRAMES, HEIGHT, SPEC, WIDTH, identity_of

REAL_FRAMES = 60
"""About what a walk across the view of a camera has."""


class Straight(torch.nn.Module):
    """The network written as the paper describes it: five axes throughout, a reshape wherever frames go in or out."""

    def __init__(self, network: CasiaB) -> None:
        super().__init__()
        self.network = network

    def frames(self, name: str, x: torch.Tensor, pool: bool = False) -> torch.Tensor:
        """A layer on every frame: `(N, frames, C, H, W)`."""
        count, frames, *size = x.shape
        x = leaky_relu(getattr(self.network, name).forward_block.conv(x.view(-1, *size)))
        x = max_pool2d(x, 2) if pool else x
        return x.view(count, frames, *x.shape[1:])

    def whole(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """A layer of the global branch: `(N, C, H, W)`."""
        return leaky_relu(getattr(self.network, name).conv(x))

    def forward(self, image_seq: torch.Tensor) -> torch.Tensor:
        """Features of sequences."""
        x = self.frames("set_layer2", self.frames("set_layer1", image_seq.unsqueeze(2)), pool=True)
        whole = max_pool2d(self.whole("gl_layer2", self.whole("gl_layer1", x.max(1)[0])), 2)
        x = self.frames("set_layer4", self.frames("set_layer3", x), pool=True)
        whole = self.whole("gl_layer4", self.whole("gl_layer3", whole + x.max(1)[0]))
        x = self.frames("set_layer6", self.frames("set_layer5", x)).max(1)[0]
        strips = []
        for count in (1, 2, 4, 8, 16):
            for branch in (x, whole + x):
                rows = branch.view(branch.shape[0], branch.shape[1], count, -1)
                strips.append(rows.mean(3) + rows.max(3)[0])
        feature = torch.cat(strips, 2).permute(2, 0, 1).contiguous()
        return feature.matmul(self.network.fc_bin[0]).permute(1, 0, 2).contiguous()


def graphs(folder: Path) -> dict[str, Path]:
    """Export every form of one seeded network."""
    torch.manual_seed(0)
    network = CasiaB(FRAMES).eval()
    for weights in network.parameters():  # so that every layer keeps the range, as in a trained network
        torch.nn.init.normal_(weights, std=math.sqrt(1 / 128 if weights.ndim == 3 else 2 / weights[0].numel()))
    free = CasiaB(padded=True).eval()
    free.load_state_dict(network.state_dict())
    fixed, dynamic = (identity_of("casia-b", frames, "zeros", "float32") for frames in (FRAMES, DYNAMIC))
    plan = {
        "straight": (Straight(network).eval(), fixed, False),
        "simplified": (Straight(network).eval(), fixed, True),
        "ours": (network, fixed, True),
        "dynamic": (free, dynamic, True),
    }
    return {
        name: export_onnx(module, identity, folder / f"{name}.onnx", SPEC.tolerance, simplify=simplify)
        for name, (module, identity, simplify) in plan.items()
    }


def timed(
    rounds: int, sessions: dict[str, Session], sequences: dict[str, np.ndarray]
) -> dict[str, list[tuple[float, float]]]:
    """CPU and wall seconds of every graph, once per round, so that a noisy machine disturbs all of them alike."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in sessions}
    for _ in range(rounds):
        for name, session in sessions.items():
            cpu, wall = time.process_time(), time.perf_counter()
            session.run(sequences[name])
            seconds[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return seconds


def report(
    paths: dict[str, Path], seconds: dict[str, list[tuple[float, float]]], outputs: dict[str, np.ndarray]
) -> None:
    """Print times, their ratio to the straight graph in the same round, and the largest difference from it."""
    wanted = {"dynamic": "padded"}
    for name, rows in seconds.items():
        cpu, wall = (statistics.median(column) for column in zip(*rows, strict=True))
        floor = seconds["straight"]
        faster = [statistics.median(b[i] / a[i] for a, b in zip(rows, floor, strict=True)) for i in (0, 1)]
        nodes = len(onnx.load(paths[name]).graph.node)
        apart = np.abs(outputs[name] - outputs[wanted.get(name, "straight")]).max()
        print(
            f"{name:<11} {nodes:>4} nodes  cpu {cpu:6.3f} s  wall {wall:6.3f} s  "
            f"{faster[0]:5.2f} x cpu, {faster[1]:5.2f} x wall of straight  max difference {apart:.1e}"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--batch", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    whole = (rng.random((arguments.batch, FRAMES, HEIGHT, WIDTH), dtype=np.float32) > 0.5).astype(np.float32)
    short = np.ascontiguousarray(whole[:, -REAL_FRAMES:])
    padded = whole.copy()
    padded[:, :-REAL_FRAMES] = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = graphs(Path(folder))
        sessions = {name: open_session(path, SPEC) for name, path in paths.items()}
        sequences = {name: short if name == "dynamic" else whole for name in sessions}
        outputs = {name: session.run(sequences[name])[0] for name, session in sessions.items()}
        outputs["padded"] = sessions["ours"].run(padded)[0]
        seconds = timed(arguments.rounds, sessions, sequences)
        print(f"batch {arguments.batch}, {FRAMES} frames; dynamic takes {REAL_FRAMES}, beside ours on the padded ones")
        report(paths, seconds, outputs)


if __name__ == "__main__":
    main()
