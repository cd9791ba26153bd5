"""DG-Net in PyTorch.

Zheng et al., "Joint Discriminative and Generative Learning for Person Re-identification" (CVPR 2019). Written from the
paper, and from the keys and the behaviour of the published checkpoints (NVlabs/DG-Net, commit c7771598).
"""
