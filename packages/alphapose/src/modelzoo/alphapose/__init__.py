"""FastPose (Fang et al., TPAMI 2022): photos to COCO keypoint AP and pictures."""

__version__ = "0.1.0"

from modelzoo.alphapose.estimator import PoseEstimator
from modelzoo.alphapose.people import Person

__all__ = ["Person", "PoseEstimator", "__version__"]
