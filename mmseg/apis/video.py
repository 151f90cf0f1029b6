"""Reading and writing videos."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

USUAL_FPS = 25.0


class VideoReader:
    """The frames of a video.

    Args:
        path: of any kind that OpenCV's build reads.

    Attributes:
        fps: frames per second.
        frames: how many, as the file says (some files are wrong by a few).

    Raises:
        ValueError: the file cannot be read as a video.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        capture = self._open()
        try:
            fps = capture.get(cv2.CAP_PROP_FPS)
            # Web cams' files and image sequences may tell nothing or nonsense.
            self.fps = fps if 0 < fps <= 1000 else USUAL_FPS
            self.frames = max(0, int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        finally:
            capture.release()

    def __iter__(self) -> Iterator[np.ndarray]:
        """Frames (H, W, 3) BGR uint8, upright.

        Raises:
            ValueError: there is not one that can be read.
        """
        capture = self._open()
        try:
            read = 0
            while True:
                found, frame = capture.read()
                if not found:
                    break
                read += 1
                yield frame
        finally:
            capture.release()
        if not read:
            raise ValueError(f'video {self.path} cannot be read: it holds no frame')

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise ValueError(f'video {self.path} cannot be read: it is broken or not a video')
        return capture


class VideoWriter:
    """Writes an mp4 under a temporary name, and renames it when it is complete.

    The first frame sets the size; an odd height or width is made even by repeating the last row or column, as the
    format wants it.

    Args:
        path: ``.mp4``.
        fps: frames per second.
    """

    def __init__(self, path: str | Path, fps: float) -> None:
        self.path, self.fps = Path(path), fps
        self._partial = self.path.with_name(f'.{self.path.stem}.{os.getpid()}.mp4')
        self._writer: cv2.VideoWriter | None = None

    def write(self, picture: np.ndarray) -> None:
        """Append (H, W, 3) uint8 RGB.

        Raises:
            OSError: the file cannot be written.
        """
        height, width = picture.shape[:2]
        frame = cv2.copyMakeBorder(
            np.ascontiguousarray(picture[..., ::-1]), 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE
        )
        if self._writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            code = cv2.VideoWriter_fourcc(*'mp4v')
            self._writer = cv2.VideoWriter(str(self._partial), code, self.fps, frame.shape[1::-1])
            if not self._writer.isOpened():
                raise OSError(f'{self.path}: OpenCV cannot write this video')
        self._writer.write(frame)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        self._writer.release()
        if kind is None:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)
