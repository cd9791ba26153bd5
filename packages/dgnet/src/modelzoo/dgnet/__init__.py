"""DG-Net (Zheng et al., CVPR 2019): pictures of people to generated pictures and FID."""

__version__ = "0.1.0"
