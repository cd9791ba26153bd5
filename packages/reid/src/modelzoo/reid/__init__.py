"""Person re-identification with the strong baseline (Luo et al., CVPRW 2019): checkpoint to mAP and CMC."""

__version__ = "0.1.0"
