"""Makes depth maps for CDDA with Depth Anything V2 (package transformers).

    python tools/generate_depth.py data/gta --dataset gta
    python tools/generate_depth.py data/cityscapes --dataset cityscapes --batch-size 8
    python tools/generate_depth.py data/farm --dataset folder --img-dir images --model path/to/model_folder

Writes depth_any/<the image's name>.png (Cityscapes: depth_any/<split>/<city>/*_depth.png): inverse relative depth, 8
bits, 255 = nearest. Maps that are there stay; a run that was interrupted goes on where it was. Page: docs/cdda.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools._entry import run_tool  # noqa: E402

DEFAULT_MODEL = 'depth-anything/Depth-Anything-V2-Small-hf'
SHOWN = 5


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    from mmseg.datasets.depth_layouts import DATASETS_WITH_DEPTH

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('data_root', help='folder of the dataset')
    parser.add_argument('--dataset', required=True, choices=DATASETS_WITH_DEPTH, help='its layout')
    parser.add_argument(
        '--model', default=DEFAULT_MODEL,
        help='folder or hub name of a relative model (default: %(default)s); flat-road: a stand-in, no depth',
    )  # fmt: skip
    parser.add_argument(
        '--depth-dir', help='folder in DATA_ROOT for the maps (default: depth_any; of flat-road: depth_stand_in)'
    )
    parser.add_argument(
        '--splits', nargs='+', default=['train'], help='of Cityscapes (default: train; val is not used)'
    )
    parser.add_argument('--img-dir', default='images', help='of a folder: where its images are (default: %(default)s)')
    parser.add_argument('--batch-size', type=int, default=4, help='images at once (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=2, help='processes that read images (default: %(default)s)')
    parser.add_argument('--device', help='default: the GPU if there is one')
    options = parser.parse_args(arguments)
    if options.batch_size < 1 or options.workers < 0:
        parser.error('--batch-size is at least 1, --workers at least 0')
    return options


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    options = parse_arguments(arguments)
    from mmseg.apis.depth_maps import claim_folder, make_depth_maps
    from mmseg.apis.depth_model import FLAT_ROAD, load_depth_model
    from mmseg.datasets.depth_layouts import depth_tasks
    from mmseg.engine.device import usable_device
    from mmseg.evaluation.progress import track

    stand_in = options.model == FLAT_ROAD
    depth_dir = options.depth_dir or ('depth_stand_in' if stand_in else 'depth_any')
    folder = Path(options.data_root) / depth_dir
    tasks = depth_tasks(options.data_root, options.dataset, depth_dir, options.splits, options.img_dir)
    missing = [task for task in tasks if not os.path.isfile(task.depth)]
    if missing:
        model = load_depth_model(options.model, str(usable_device(options.device)))
        claim_folder(folder, options.model)
        made = make_depth_maps(missing, model, options.batch_size, options.workers)
        broken = [error for error in track(made, len(missing), 'depth maps') if error is not None]
        if broken:
            shown = '; '.join(broken[:SHOWN]) + ('; ...' if len(broken) > SHOWN else '')
            raise ValueError(
                f'{len(broken)} of {len(tasks)} images have no depth map, as they cannot be read: {shown}. Replace or '
                'remove them and run again (what is done is kept)'
            )
    what = 'stand-ins for depth maps' if stand_in else 'depth maps'
    print(f'{folder}: {len(missing):,} {what} made, {len(tasks) - len(missing):,} were there already')


if __name__ == '__main__':
    run_tool(main)
