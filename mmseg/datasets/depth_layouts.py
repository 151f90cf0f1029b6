"""Where depth maps belong, beside the images of each dataset."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.camvid import CamVidDataset
from mmseg.datasets.cityscapes import CityscapesDataset
from mmseg.datasets.gta import GTADataset
from mmseg.datasets.synthia import SynthiaDataset

DATASETS_WITH_DEPTH = ('gta', 'synthia', 'cityscapes', 'camvid', 'folder')


class DepthTask(NamedTuple):
    """An image and where its depth map belongs."""

    image: str
    depth: str


def depth_tasks(
    data_root: str, dataset: str, depth_dir: str, splits: Sequence[str] = ('train',), img_dir: str = 'images'
) -> list[DepthTask]:
    """All images of a dataset and their depth maps, whether there or not.

    Args:
        data_root: folder of the dataset.
        dataset: one of ``DATASETS_WITH_DEPTH``.
        depth_dir: folder of the depth maps in it.
        splits: of Cityscapes.
        img_dir: folder of the images of a ``folder``.

    Raises:
        FileNotFoundError: no images.
        ValueError: the maps would replace the images.
    """
    tasks: list[DepthTask] = []
    for images in _image_sets(data_root, dataset, depth_dir, splits, img_dir):
        folder = images.depth_dir or ''
        if os.path.realpath(folder) == os.path.realpath(images.img_dir):
            raise ValueError(f'depth maps cannot lie in the folder of the images, {folder}: name another one')
        tasks += [
            DepthTask(os.path.join(images.img_dir, image), os.path.join(folder, depth))
            for image, depth in zip(images.img_names, images.depth_names, strict=True)
        ]
    return tasks


def _image_sets(
    data_root: str, dataset: str, depth_dir: str, splits: Sequence[str], img_dir: str
) -> list[BaseSegDataset]:
    def prefix(images: str, depth: str = depth_dir) -> dict[str, str]:
        return {'img_path': images, 'depth_path': depth}

    if dataset == 'gta':
        return [GTADataset(data_root=data_root, data_prefix=prefix('images'))]
    if dataset == 'synthia':
        return [SynthiaDataset(data_root=data_root, data_prefix=prefix('RGB'))]
    if dataset == 'cityscapes':
        return [
            CityscapesDataset(data_root=data_root, data_prefix=prefix(f'leftImg8bit/{split}', f'{depth_dir}/{split}'))
            for split in splits
        ]
    if dataset == 'camvid':
        return [CamVidDataset(data_root=data_root, data_prefix=prefix(''))]
    # Labels are not looked at, so any class will do.
    any_class = {'classes': ('any',)}
    return [BaseSegDataset(data_root=data_root, data_prefix=prefix(img_dir), metainfo=any_class)]
