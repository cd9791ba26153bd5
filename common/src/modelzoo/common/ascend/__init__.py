"""The Ascend road: atc, ais_bench and npu-smi, called as programs; none of them is needed for anything else."""
