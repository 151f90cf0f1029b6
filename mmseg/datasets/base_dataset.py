"""A folder of images and a folder of label maps as a dataset."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from mmengine.logging import print_log
from torch.utils.data import Dataset

from mmseg.datasets.archive_folders import found_deeper
from mmseg.datasets.depth_files import check_depth_maps, exchanged
from mmseg.datasets.label_map import LabelMap
from mmseg.datasets.metainfo import complete_metainfo
from mmseg.datasets.randomness import Draws, sample_generator, shuffled_index
from mmseg.datasets.transforms import Compose, LoadAnnotations, LoadDepth, LoadPseudoLabels
from mmseg.registry import DATASETS

IMAGE_ENDINGS = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


@DATASETS.register_module()
class BaseSegDataset(Dataset):
    """Images and label maps under two folders, matched by relative path and suffix, in sorted order.

    In training a sample number may be any integer >= 0: every file comes once per epoch, in an order and with random
    decisions that follow from (seed, sample number). With ``test_mode`` sample n is file n.

    Args:
        data_root: folder that the other paths are relative to.
        data_prefix: ``img_path`` and ``seg_map_path``, the folders of images and label maps, scanned with subfolders;
            ``depth_path``, the folder of depth maps, if there are such (``LoadDepth``).
        img_suffix: ending of image names; several for mixed folders.
        seg_map_suffix: ending of label names, in place of the image's.
        pipeline: transforms, as config dicts or callables.
        metainfo: ``classes`` and ``palette`` (RGB), or the name of a dataset whose classes these are; completes or
            replaces the class's ``METAINFO``.
        ann_file: text file with one image name per line, without suffix, relative to the image folder; only these.
        ignore_index: label that stands for ignore in the files; samples always have 255.
        label_map: class in the files -> class in ``metainfo``, by names or ids, see :class:`LabelMap`; None = the same.
        test_mode: sample n is file n, in order.
        indices: the first so many files, or the files at these places.
        depth_of: ``own``: every image comes with its depth map; ``another``: with that of another image, always the
            same one, a control for methods that use depth.
        name: in scores and pictures of several datasets; None = the class's name without 'Dataset', in small letters
            (of a plain ``BaseSegDataset`` its folder's).
        packed: folder of a packed copy (``tools/pack_dataset.py``) that the first steps of the pipeline are read from.

    Raises:
        FileNotFoundError: no folder, no images, images without label or depth map though the pipeline loads them, or no
            packed copy.
        ValueError: no classes, classes and palette of different length, a label map with gaps, an unknown
            ``depth_of``, or a packed copy of other files or another pipeline.

    Attributes:
        label_converter: the tool that makes the label maps, named where they are missing.
        depth_suffix: ending of a depth map's name, in place of the image's.
        margins_canvas: (height, width) that pseudo-label margins are meant for; None = the image's own size.
    """

    METAINFO: ClassVar[Mapping[str, Any]] = {}
    label_converter: ClassVar[str | None] = None
    depth_suffix: ClassVar[str] = '.png'
    margins_canvas: ClassVar[tuple[int, int] | None] = None

    def __init__(
        self,
        data_root: str = '',
        data_prefix: Mapping[str, str] | None = None,
        img_suffix: str | Sequence[str] = ('.jpg', '.png'),
        seg_map_suffix: str = '.png',
        pipeline: Sequence[dict[str, Any] | Callable] = (),
        metainfo: Mapping[str, Any] | str | None = None,
        ann_file: str = '',
        ignore_index: int = 255,
        label_map: Mapping[Any, Any] | None = None,
        test_mode: bool = False,
        indices: int | Sequence[int] | None = None,
        depth_of: str = 'own',
        name: str | None = None,
        packed: str | None = None,
    ):
        self.data_root = data_root
        self.name = name or default_name(type(self).__name__, data_root)
        prefix = data_prefix or {}
        self.img_dir = os.path.join(data_root, prefix.get('img_path', ''))
        self.seg_map_dir = os.path.join(data_root, prefix.get('seg_map_path', ''))
        self.depth_dir = os.path.join(data_root, prefix['depth_path']) if prefix.get('depth_path') else None
        self.img_suffixes = (img_suffix,) if isinstance(img_suffix, str) else tuple(img_suffix)
        self.seg_map_suffix = seg_map_suffix
        self.ignore_index = ignore_index
        self.test_mode = test_mode
        self.seed = 0
        self.metainfo = complete_metainfo(self.METAINFO, metainfo, type(self).__name__)
        self.label_map = None
        if label_map:
            self.label_map = LabelMap(label_map, self.METAINFO.get('classes', ()), self.metainfo['classes'])
        self.pipeline = Compose(pipeline)

        found = self._find_images()
        stems = self._listed(found, os.path.join(data_root, ann_file)) if ann_file else found
        if isinstance(indices, int):
            stems = dict(list(stems.items())[:indices])
        elif indices is not None:
            items = list(stems.items())
            stems = dict(items[i] for i in indices)
        self.img_names = list(stems.values())
        self.label_names = [self.label_name(stem) for stem in stems]
        self._labels_of_all_images = {self.label_name(stem) for stem in found}
        self.depth_names = exchanged([stem + self.depth_suffix for stem in stems], depth_of)
        if self.pipeline.find(LoadAnnotations) is not None:
            if self.pipeline.find(LoadPseudoLabels) is not None:
                self._take_flat_labels()
            self._check_labels()
        if self.pipeline.find(LoadDepth) is not None:
            check_depth_maps(self)
        # A dataset without pipeline, whose files are only counted, loads nothing.
        if packed is not None and self.pipeline.transforms:
            from mmseg.datasets.packed import read_from_pack

            self.pipeline = read_from_pack(self, packed)

    def label_name(self, stem: str) -> str:
        """Path of a label map below the label folder, from that of its image without suffix."""
        return stem + self.seg_map_suffix

    def conversion_command(self) -> str | None:
        """What to type to make the label maps; None if no tool makes them."""
        if self.label_converter is None:
            return None
        return f'python {self.label_converter} {self.data_root or "DATA_ROOT"}'

    def statistics_command(self) -> str:
        """What to type to make the statistics that class-aware sampling reads."""
        by_config = 'python tools/dataset_statistics.py --config CONFIG, the config of this training'
        return self.conversion_command() or by_config

    def _find_images(self) -> dict[str, str]:
        """Names of the images without suffix -> with suffix, sorted, relative to the image folder."""
        if not os.path.isdir(self.img_dir):
            deeper = found_deeper(self.data_root, os.path.relpath(self.img_dir, self.data_root or '.'))
            raise FileNotFoundError(
                f'{type(self).__name__}: image folder {self.img_dir} does not exist (layouts: docs/getting_started.md, '
                f'of your own data: docs/custom_dataset.md){deeper}'
            )
        stems: dict[str, str] = {}
        names = sorted(files_below(self.img_dir))
        for name in names:
            stem = without_suffix(name, self.img_suffixes)
            if stem is not None and stems.setdefault(stem, name) != name:
                raise ValueError(
                    f'{type(self).__name__}: {stems[stem]} and {name} in {self.img_dir} are images of one name: '
                    'give img_suffix, the ending of the images alone'
                )
        if not stems:
            there = f', only other files such as {names[0]}: give img_suffix' if names else ''
            raise FileNotFoundError(
                f'{type(self).__name__}: no images (*{" or *".join(self.img_suffixes)}) in {self.img_dir}{there}'
            )
        self._report_other_endings(names)
        return stems

    def _report_other_endings(self, names: Iterable[str]) -> None:
        """Say so if files are left out that look like images, but for the case of their ending or for its kind."""
        ours = [suffix.lower() for suffix in self.img_suffixes]
        plain = all(suffix in IMAGE_ENDINGS for suffix in ours)  # of a longer ending others may be of other files
        endings = tuple({*ours, *IMAGE_ENDINGS}) if plain else tuple(ours)
        left_out = [name for name in names if name.lower().endswith(endings) and not name.endswith(self.img_suffixes)]
        if left_out:
            print_log(
                f'{type(self).__name__}: {len(left_out)} files in {self.img_dir} are left out, e.g. {left_out[0]}: '
                f'img_suffix is {", ".join(self.img_suffixes)}',
                logger='current',
                level=logging.WARNING,
            )

    def _listed(self, stems: dict[str, str], ann_file: str) -> dict[str, str]:
        try:
            listed = Path(ann_file).read_text(encoding='utf-8-sig').split('\n')
        except FileNotFoundError:
            raise FileNotFoundError(f'{type(self).__name__}: file list {ann_file} does not exist') from None
        except UnicodeDecodeError:
            raise ValueError(f'{type(self).__name__}: file list {ann_file} is not UTF-8 text') from None
        listed = [name.strip() for name in listed if name.strip()]
        missing = [name for name in listed if name not in stems]
        if missing:
            ending = ' (names stand without their ending)' if missing[0] in stems.values() else ''
            raise FileNotFoundError(
                f'{len(missing)} images of {ann_file} are not in {self.img_dir}, e.g. {missing[0]}{ending}'
            )
        if not listed:
            raise ValueError(f'{type(self).__name__}: file list {ann_file} names no image')
        return {name: stems[name] for name in listed}

    def _take_flat_labels(self) -> None:
        """The originals write all pseudo-labels into one folder, under their images' names alone."""
        flat = [name.rpartition('/')[2] for name in self.label_names]
        found = self._find_labels() if os.path.isdir(self.seg_map_dir) else set()
        if found.isdisjoint(self.label_names) and found.issuperset(flat) and len(set(flat)) == len(flat):
            self.label_names = flat
            self._labels_of_all_images = {name.rpartition('/')[2] for name in self._labels_of_all_images}

    def _check_labels(self) -> None:
        """Every image must have a label map; label maps without an image in the folder are only reported."""
        name, advice = type(self).__name__, ''
        loader = self.pipeline.transforms[self.pipeline.find(LoadAnnotations)]
        if command := getattr(loader, 'made_by', None) or self.conversion_command():
            advice = f'; to make label maps run: {command}'
        if not os.path.isdir(self.seg_map_dir):
            raise FileNotFoundError(f'{name}: label folder {self.seg_map_dir} does not exist{advice}')
        missing, extra = self.unmatched_files()
        if missing:
            raise FileNotFoundError(
                f'{name}: {len(missing)} of {len(self)} images have no label map, e.g. {self.img_names[missing[0]]} in '
                f'{self.img_dir} (looked for {self.label_names[missing[0]]} in {self.seg_map_dir}){advice}'
            )
        if extra:
            print_log(
                f'{name}: {len(extra)} label maps in {self.seg_map_dir} have no image, e.g. {min(extra)}',
                logger='current',
                level=logging.WARNING,
            )

    def unmatched_files(self) -> tuple[list[int], set[str]]:
        """Indices of the images without label map, and label maps without an image in the folder."""
        found = self._find_labels()
        missing = [index for index, label in enumerate(self.label_names) if label not in found]
        return missing, found - self._labels_of_all_images

    def _find_labels(self) -> set[str]:
        """Paths of the label maps below the label folder."""
        return {name for name in files_below(self.seg_map_dir) if name.endswith(self.seg_map_suffix)}

    @property
    def num_classes(self) -> int:
        return len(self.metainfo['classes'])

    @property
    def parts(self) -> list[BaseSegDataset]:
        """The dataset itself: several datasets in one have several (``ConcatDataset``)."""
        return [self]

    def locate(self, index: int) -> tuple[BaseSegDataset, int]:
        """The dataset that file ``index`` belongs to, and its index there."""
        return self, index

    def image_name(self, meta: Mapping[str, Any]) -> str:
        """Path of a sample's image below the image folder, from the sample's file facts."""
        return os.path.relpath(meta['img_path'], self.img_dir).replace(os.sep, '/')

    def set_seed(self, seed: int) -> None:
        """Seed of the random decisions; call it before the loader starts its workers."""
        self.seed = seed

    def __len__(self) -> int:
        return len(self.img_names)

    def record(self, index: int, draws: Draws | None = None) -> dict[str, Any]:
        """What the pipeline starts from for one file; random transforms need draws."""
        depth = {} if self.depth_dir is None else {'depth_path': os.path.join(self.depth_dir, self.depth_names[index])}
        return depth | {
            'img_path': os.path.join(self.img_dir, self.img_names[index]),
            'seg_map_path': os.path.join(self.seg_map_dir, self.label_names[index]),
            'num_classes': self.num_classes,
            'ignore_index': self.ignore_index,
            'label_map': self.label_map,
            'dataset': self.name,
            'draws': draws,
            'file_index': index,
        }

    def source_files(self, index: int, kinds: Iterable[str]) -> dict[str, str]:
        """Paths of file ``index``, by ``image``, ``label``, ``depth``."""
        paths = {
            'image': (self.img_dir, self.img_names),
            'label': (self.seg_map_dir, self.label_names),
            'depth': (self.depth_dir or '', self.depth_names),
        }
        return {kind: os.path.join(paths[kind][0], paths[kind][1][index]) for kind in kinds}

    def sample(self, index: int, draws: Draws) -> dict[str, Any]:
        """File ``index`` through the pipeline with these random decisions."""
        return self.pipeline(self.record(index, draws))

    def __getitem__(self, number: int) -> dict[str, Any]:
        if self.test_mode:
            index = range(len(self))[number]
        else:
            index = shuffled_index(self.seed, number, len(self))
        return self.sample(index, Draws(sample_generator(self.seed, abs(number))))


def without_suffix(name: str, suffixes: Sequence[str]) -> str | None:
    """A file name without the first of the suffixes that it has; None if it has none of them."""
    return next((name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix)), None)


def files_below(folder: str) -> list[str]:
    """Relative paths of all files below a folder, with forward slashes; hidden files and folders are left out."""
    names = []
    for directory, subfolders, files in os.walk(folder, followlinks=True):
        subfolders[:] = [name for name in subfolders if not name.startswith('.')]
        relative = os.path.relpath(directory, folder).replace(os.sep, '/')
        prefix = '' if relative == '.' else f'{relative}/'
        names += [prefix + name for name in files if not name.startswith('.')]
    return names


def default_name(kind: str, data_root: str) -> str:
    """What a dataset is called in scores if its config does not say: by its class, or by the folder of plain ones.

    Args:
        kind: name of the class.
        data_root: its folder.
    """
    known = kind.removesuffix('Dataset').lower()
    return known if kind != BaseSegDataset.__name__ else Path(data_root).name.replace('.', '_') or known
