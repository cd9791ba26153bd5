"""PoseC3D (Duan et al., CVPR 2022): skeletons to action classes."""

__version__ = "0.1.0"

from modelzoo.posec3d.recognizer import ActionRecognizer

__all__ = ["ActionRecognizer", "__version__"]
