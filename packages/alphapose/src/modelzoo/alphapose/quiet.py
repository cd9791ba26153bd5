"""OpenCV without lines of its own beside ours."""

from __future__ import annotations

import os


def silence_opencv() -> None:
    """Keep OpenCV, and FFmpeg in it, from writing to standard error; what they would say is raised as an error."""
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
