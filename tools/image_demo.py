"""Predicts images and videos with a trained network and draws the result.

    python tools/image_demo.py work_dirs/RUN photo.jpg --out-dir out
    python tools/image_demo.py CONFIG CHECKPOINT photos/ drive.mp4 'more/**/*.png' --out-dir out --what overlay labels --legend

The network comes first, as for tools/test.py: the folder of a run, or CONFIG and CHECKPOINT. Then the inputs: files,
folders (with their sub-folders), quoted patterns, videos. Images may have any size, mode and bit depth; EXIF rotations
are applied. Sub-folders are kept: photos/a/1.jpg becomes out/a/1.png, or out/KIND/a/1.png with several kinds;
a video becomes an mp4 of the same rate.
"""  # noqa: E501 (lines to copy)

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

# What OpenCV and its FFmpeg say about a broken file is said again below, with the file's name.
os.environ.setdefault('OPENCV_LOG_LEVEL', 'SILENT')
os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from mmseg.apis.drawing import Drawing
    from mmseg.apis.input_files import InputFile

Key = TypeVar('Key')

CHECKPOINT_SUFFIXES = ('.pth', '.pt', '.ckpt')
FRAME_NAME = re.compile(r'\d{6,}\.png')


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        usage='python tools/image_demo.py (RUN | CONFIG CHECKPOINT) INPUT... --out-dir DIR [options]',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('model', help='folder of a run, or config file')
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='after a config file first its CHECKPOINT; then '
                        'images, folders, patterns and videos')  # fmt: skip
    parser.add_argument('--out-dir', required=True, help='folder for the results')
    drawn = parser.add_argument_group('what is drawn')
    drawn.add_argument('--what', nargs='+', choices=('overlay', 'colour', 'labels', 'side-by-side'),
                       default=['overlay'], help='overlay: colours over the image (default); colour: colours alone; '
                       'labels: PNG with class ids; side-by-side: image and overlay')  # fmt: skip
    drawn.add_argument('--opacity', type=float, default=0.5, help='of the colours: 0 to 1 (default 0.5)')
    drawn.add_argument('--legend', action='store_true', help='add names and shares of the classes in the picture')
    drawn.add_argument('--legend-at', choices=('right', 'bottom'), help='where (default: as the picture has room)')
    drawn.add_argument('--jpg', action='store_true', help='write pictures as .jpg, smaller (labels stay .png)')
    how = parser.add_argument_group('how it is predicted')
    how.add_argument('--batch-size', type=int, default=1, help='images of equal size that are predicted together')
    how.add_argument('--ema', action='store_true', help='use the teacher')
    how.add_argument('--tta', action='store_true', help='average six scales and their mirror images')
    how.add_argument('--inference-mode', choices=('same', 'whole', 'slide'), default='same')
    how.add_argument('--precision', choices=('fp32', 'tf32', 'bf16'), default='fp32')
    how.add_argument('--device', help='default: the GPU if there is one')
    how.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    how.add_argument('--trust-checkpoint', action='store_true', help='read checkpoints that can run code')
    options = parser.parse_intermixed_args(arguments)
    options.checkpoint = _take_checkpoint(parser, options)
    if not options.inputs:
        parser.error('nothing to predict: name images, folders or videos')
    if not 0 <= options.opacity <= 1:
        parser.error(f'--opacity {options.opacity}: expected a number from 0 to 1')
    if options.batch_size < 1:
        parser.error(f'--batch-size {options.batch_size}: expected at least 1')
    return options


def _take_checkpoint(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """The checkpoint among the inputs; beside a run's folder it may be left out."""
    first, model = Path(options.inputs[0]), Path(options.model)
    if model.is_dir():
        return options.inputs.pop(0) if first.suffix in CHECKPOINT_SUFFIXES else options.model
    if model.suffix not in ('', '.py', '.json', '.yaml', '.yml'):
        parser.error(
            f'the network comes first (the folder of a run, or CONFIG CHECKPOINT), then the images; not {model}'
        )
    if first.suffix not in CHECKPOINT_SUFFIXES and not any(first.glob('*.pth')):
        parser.error(f'{model} is no folder of a run; after a config file its checkpoint is expected, not {first}')
    return options.inputs.pop(0)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from mmseg.apis.drawing import Drawing
    from mmseg.apis.input_files import find_inputs

    files = find_inputs(options.inputs, options.out_dir)
    check_results(files, Results(options.out_dir, options.what, options.jpg))
    model = load_model(options)
    legend = options.legend_at or ('auto' if options.legend else None)
    drawing = Drawing(model.dataset_meta['classes'], model.dataset_meta['palette'], options.opacity, legend)
    writer = Demo(model, drawing, options)
    writer.predict_images([file for file in files if not file.is_video])
    for file in files:
        if file.is_video:
            writer.predict_video(file)
    print(f'{len(files) - len(writer.problems)} of {len(files)} inputs predicted: {options.out_dir}')
    if writer.problems:
        for problem in writer.problems:
            print(f'  {problem}', file=sys.stderr)
        raise ValueError(f'{len(writer.problems)} of {len(files)} inputs could not be used (listed above)')


def load_model(options: argparse.Namespace) -> nn.Module:
    """The network, changed as the options say."""
    from mmseg.apis import init_model
    from mmseg.engine.config import load_config
    from mmseg.evaluation import config_options
    from mmseg.evaluation.run_folder import find_config

    config = find_config(options.model) if Path(options.model).is_dir() else options.model
    cfg = load_config(config, options.cfg_options)
    config_options.set_inference_mode(cfg, options.inference_mode)
    if options.tta:
        config_options.set_tta(cfg)
    return init_model(cfg, options.checkpoint, options.device, ema=options.ema, trust=options.trust_checkpoint)


class Results:
    """Where the pictures of an input go.

    Args:
        folder: of all results.
        kinds: of pictures; with several each has a sub-folder.
        jpg: pictures are .jpg files.
    """

    def __init__(self, folder: str, kinds: Iterable[str], jpg: bool) -> None:
        self.folder, self.kinds, self.jpg = Path(folder), list(dict.fromkeys(kinds)), jpg

    def picture(self, kind: str, file: InputFile) -> Path:
        """The picture of an image."""
        suffix = '.jpg' if self.jpg and kind != 'labels' else '.png'
        return self._place(kind) / f'{file.name}{suffix}'

    def video(self, kind: str, file: InputFile) -> Path:
        """The video of a video; of ``labels`` the folder of numbered PNGs."""
        return self._place(kind) / (file.name if kind == 'labels' else f'{file.name}.mp4')

    def _place(self, kind: str) -> Path:
        return self.folder / kind if len(self.kinds) > 1 else self.folder


def check_results(files: Sequence[InputFile], results: Results) -> None:
    """No result may replace an input.

    Raises:
        ValueError: one would.
    """
    inputs = {file.path.resolve(): file.path for file in files}
    # The folders that a video's frames would go to.
    frames = {path.parent: given for path, given in inputs.items() if FRAME_NAME.fullmatch(path.name)}
    for file in files:
        for kind in results.kinds:
            path = (results.video if file.is_video else results.picture)(kind, file)
            known = frames if file.is_video and kind == 'labels' else inputs
            if taken := known.get(path.resolve()):
                raise ValueError(
                    f'--out-dir {results.folder}: the result for {file.path} would replace the input {taken}: '
                    'choose another --out-dir'
                )


class Demo:
    """Predicts files and writes pictures.

    Args:
        model: of ``init_model``.
        drawing: how predictions are drawn.
        options: of the command line.

    Attributes:
        problems: a line for each file that could not be used.
    """

    def __init__(self, model: nn.Module, drawing: Drawing, options: argparse.Namespace) -> None:
        from mmseg.engine.precision import Precision

        self.model, self.drawing = model, drawing
        self.results = Results(options.out_dir, options.what, options.jpg)
        self.batch_size = options.batch_size
        self.number_format = Precision(options.precision)
        self.number_format.apply_global_flags()
        self.problems: list[str] = []

    def predict_images(self, files: list[InputFile]) -> None:
        """Predict images; those that cannot be read are noted."""
        for file, image, label in self._predicted(self._readable(files)):
            for kind in self.results.kinds:
                self._write(kind, self.results.picture(kind, file), image, label)

    def predict_video(self, file: InputFile) -> None:
        """Predict a video's frames: an mp4 for each kind of picture; for ``labels`` a folder of numbered PNGs."""
        from mmseg.apis.video import VideoReader, VideoWriter
        from mmseg.evaluation.progress import track

        try:
            video = VideoReader(file.path)
            with ExitStack() as stack:
                writers = {
                    kind: stack.enter_context(VideoWriter(self.results.video(kind, file), video.fps))
                    for kind in self.results.kinds
                    if kind != 'labels'
                }
                # Every frame's picture must have the same size, whatever classes it shows.
                drawing = replace(self.drawing, whole_legend=True)
                frames = track(enumerate(video), video.frames, file.path.name)
                for number, image, label in self._predicted(frames):
                    for kind, writer in writers.items():
                        writer.write(drawing.draw(kind, image, label))
                    if 'labels' in self.results.kinds:
                        place = self.results.video('labels', file) / f'{number:06d}.png'
                        self._write('labels', place, image, label)
        except ValueError as error:
            self.problems.append(str(error))
            return
        # Headers of whole files may be wrong by a few frames.
        if number + 1 < 0.9 * video.frames:
            self.problems.append(f'video {file.path}: {number + 1} frames could be read, it should hold {video.frames}')

    def _readable(self, files: list[InputFile]) -> Iterator[tuple[InputFile, np.ndarray]]:
        from mmseg.datasets.image_io import read_image
        from mmseg.engine.errors import user_message
        from mmseg.evaluation.progress import track

        for file in track(files, len(files), 'Images'):
            try:
                image = read_image(str(file.path))
            except (ValueError, OSError) as error:
                self.problems.append(user_message(error) or str(error))
            else:
                yield file, image

    def _predicted(self, images: Iterable[tuple[Key, np.ndarray]]) -> Iterator[tuple[Key, np.ndarray, np.ndarray]]:
        """Key, RGB image and label map of each."""
        from mmseg.apis.inference import predict_stream

        device = next(self.model.parameters()).device
        with self.number_format.autocast(device):
            for key, image, result in predict_stream(self.model, images, self.batch_size):
                yield key, image[..., ::-1], result.pred_sem_seg.data[0].numpy()

    def _write(self, kind: str, path: Path, image: np.ndarray, label: np.ndarray) -> None:
        from mmseg.visualization import save_palette_png, save_picture

        if kind == 'labels':
            save_palette_png(label, self.drawing.palette, path)
        else:
            save_picture(self.drawing.draw(kind, image, label), path)


if __name__ == '__main__':
    run_tool(main)
