"""A bank of a few source crops in a folder."""

import cv2
import numpy as np
import torch

from mmseg.models.uda.components.depth_bank import class_depth_histogram


def write_bank(folder, number=3, num_classes=5, size=(32, 48), seed=0, name='toy'):
    """Blocky labels with some 255, depth that grows with the row, noise as pictures; returns counts and crops."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, num_classes, (number, size[0] // 8, size[1] // 8))
    blocks[:, 0, 0] = 255
    labels = blocks.repeat(8, 1).repeat(8, 2).astype(np.uint8)
    images = rng.integers(0, 256, (number, *size, 3), dtype=np.uint8)
    depth = np.clip(np.linspace(0, 200, size[0])[None, :, None] + rng.normal(0, 9, labels.shape), 0, 255)
    counts = class_depth_histogram(torch.from_numpy(labels), torch.from_numpy(depth), num_classes)
    for part, pictures in (('images', images), ('labels', labels)):
        (folder / part).mkdir(parents=True)
        for index, picture in enumerate(pictures):
            cv2.imwrite(str(folder / part / f'{index}.png'), picture)
    torch.save(counts.int(), folder / f'{name}_{number}_distribution.pth')
    return counts, images, labels
