"""Demo scenes as files, in the folder layouts and formats of GTA, SYNTHIA, Cityscapes and Mapillary Vistas v1.2.

Depth maps lie in `depth_any` in CDDA's convention: 8 bits, inverse depth stretched per picture, 255 nearest, sky 0.
"""

import json
import os
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from .labels import GTA_PALETTE, MAPILLARY_NAMES, TO_MAPILLARY_ID, TO_SYNTHIA_ID
from .render import SPLITS, Scene, render_scene

# Rises when the same seed gives other pictures than before.
VERSION = 1
SETTINGS_FILE = 'demo_data.json'
_CITIES = {
    'train': ('aachen', 'bochum', 'bremen', 'cologne', 'darmstadt', 'dusseldorf', 'erfurt', 'hamburg', 'hanover')
    + ('jena', 'krefeld', 'monchengladbach', 'strasbourg', 'stuttgart', 'tubingen', 'ulm', 'weimar', 'zurich'),
    'val': ('frankfurt', 'lindau', 'munster'),
}


class ScenePaths(NamedTuple):
    """The files of one scene."""

    image: Path
    label: Path
    depth: Path


def scene_paths(root: str | Path, domain: str, split: str, index: int) -> ScenePaths:
    """Where a scene's files belong.

    Raises:
        ValueError: for a split that the dataset does not have.
    """
    root = Path(root) / domain
    if domain == 'cityscapes':
        if split not in SPLITS:
            raise _unknown_split(split, 'Cityscapes')
        cities = _CITIES[split]
        city = cities[index % len(cities)]
        stem = f'{city}_{index // len(cities):06d}_000019'
        return ScenePaths(
            root / 'leftImg8bit' / split / city / f'{stem}_leftImg8bit.png',
            root / 'gtFine' / split / city / f'{stem}_gtFine_labelIds.png',
            root / 'depth_any' / split / city / f'{stem}_depth.png',
        )
    if domain == 'mapillary':
        return _mapillary_paths(root, split, index)
    if split != 'train':
        raise ValueError(f'{domain} has a train split only, got {split!r}')
    if domain == 'gta':
        name = f'{index + 1:05d}.png'
        return ScenePaths(root / 'images' / name, root / 'labels' / name, root / 'depth_any' / name)
    name = f'{index:07d}.png'
    return ScenePaths(root / 'RGB' / name, root / 'GT' / 'LABELS' / name, root / 'depth_any' / name)


def _mapillary_paths(root: Path, split: str, index: int) -> ScenePaths:
    folder = {'train': 'training', 'val': 'validation'}.get(split)
    if folder is None:
        raise _unknown_split(split, 'Mapillary')
    name = f'{split}_{index:06d}'
    return ScenePaths(
        root / folder / 'images' / f'{name}.jpg',
        root / folder / 'labels' / f'{name}.png',
        root / folder / 'depth_any' / f'{name}.png',
    )


def _unknown_split(split: str, dataset: str) -> ValueError:
    return ValueError(f'unknown split {split!r} of {dataset}; there are {", ".join(SPLITS)}')


def picture_size(domain: str, size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of a domain's pictures: Mapillary's are 4:3, of about the same area."""
    return (size[0] * 3 // 4, size[0] * 9 // 16) if domain == 'mapillary' else size


def inverse_depth_bytes(inverse_depth: np.ndarray) -> np.ndarray:
    """Inverse depth (H, W) in 1/m, stretched to 0..255 uint8."""
    low, high = float(inverse_depth.min()), float(inverse_depth.max())
    return np.rint((inverse_depth - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)


def encode_label(domain: str, label: np.ndarray) -> bytes:
    """PNG of a map (H, W) of Cityscapes label ids as the dataset stores it.

    GTA: palette colours; SYNTHIA: 16 bits, its own ids in the red channel; Cityscapes: grey; Mapillary: palette of its
    own ids.
    """
    if domain == 'gta':
        return _palette_png(label, GTA_PALETTE)
    if domain == 'mapillary':
        return _palette_png(TO_MAPILLARY_ID[label], _mapillary_palette())
    if domain == 'synthia':
        colors = np.zeros((*label.shape, 3), dtype=np.uint16)
        colors[..., 2] = TO_SYNTHIA_ID[label]
        return _png(colors)
    return _png(label)


def _palette_png(label: np.ndarray, palette: np.ndarray) -> bytes:
    picture = Image.fromarray(label, mode='L')
    picture.putpalette(palette.ravel().tolist())
    stream = BytesIO()
    picture.save(stream, 'PNG', compress_level=1)
    return stream.getvalue()


def _mapillary_palette() -> np.ndarray:
    palette = np.zeros((len(MAPILLARY_NAMES), 3), dtype=np.uint8)
    for label_id, color in enumerate(GTA_PALETTE):
        palette[TO_MAPILLARY_ID[label_id]] = color
    return palette


def _png(picture: np.ndarray) -> bytes:
    return cv2.imencode('.png', picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _write(path: Path, content: bytes) -> None:
    """Write a whole file, or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f'{path.name}.{os.getpid()}.part')
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


def write_scene(paths: ScenePaths, domain: str, scene: Scene) -> None:
    """Write picture, label map and depth map."""
    _write(paths.depth, _png(inverse_depth_bytes(scene.inverse_depth)))
    _write(paths.label, encode_label(domain, scene.label))
    image = cv2.cvtColor(scene.image, cv2.COLOR_RGB2BGR)
    coded = cv2.imencode('.jpg', image)[1].tobytes() if paths.image.suffix == '.jpg' else _png(image)
    _write(paths.image, coded)


def make_scene(root: str | Path, domain: str, split: str, index: int, size: tuple[int, int], seed: int) -> bool:
    """Render and write a scene whose files are not all there; returns whether it had to."""
    paths = scene_paths(root, domain, split, index)
    if all(path.exists() for path in paths):
        return False
    write_scene(paths, domain, render_scene(domain, index, picture_size(domain, size), seed, split))
    return True


def write_class_names(root: str | Path) -> None:
    """Write the part of Mapillary's configuration file that its converters read."""
    labels = [{'readable': name} for name in MAPILLARY_NAMES]
    _write(Path(root) / 'mapillary' / 'config_v1.2.json', json.dumps({'version': 1.2, 'labels': labels}).encode())


def claim_folder(root: str | Path, size: tuple[int, int], seed: int) -> None:
    """Note the settings in the folder, so that no other run mixes its scenes in.

    Raises:
        ValueError: the folder holds scenes of other settings.
    """
    path = Path(root) / SETTINGS_FILE
    settings = {'version': VERSION, 'width': size[0], 'height': size[1], 'seed': seed}
    if path.exists():
        try:
            found = json.loads(path.read_text(encoding='utf-8'))
        except ValueError:
            found = None
        if found != settings:
            raise ValueError(
                f'{root} holds demo scenes of other settings ({found} in {SETTINGS_FILE}, asked for {settings}); '
                'remove the folder or name another one'
            )
        return
    _write(path, json.dumps(settings).encode())
