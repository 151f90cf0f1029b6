"""The published experiments of DAFormer (1 to 8), HRDA (40 to 49) and MIC (80 to 85), by their published ids, and the
benchmarks ``demo`` and ``camvid``.

    python run_experiments.py --exp 80                  train all of them, one after the other
    python run_experiments.py --exp 80 --startup-test   two iterations of each
    python run_experiments.py --exp 80 --list           only print their names
    python run_experiments.py --exp demo                train all rows of a benchmark (docs/benchmarks.md)

An experiment of your own is a function with ``@experiment(<id>)`` that yields trainings: here, or in a file of your own
that ``run_experiments.py --grid FILE`` reads. ``Training`` (mmseg/experiments/grid.py) lists what can be varied. The
rows of the benchmarks are in mmseg/experiments/benchmark/demo.py and camvid.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product

from mmseg.experiments import Masking, Training, seeds
from mmseg.experiments.benchmark import CAMVID, DEMO, Benchmark

Grid = Callable[[], Iterable[Training]]
EXPERIMENTS: dict[int, Grid] = {}
BENCHMARKS: dict[str, Benchmark] = {benchmark.name: benchmark for benchmark in (DEMO, CAMVID)}


def experiment(number: int) -> Callable[[Grid], Grid]:
    """Register a grid under an id."""

    def register(grid: Grid) -> Grid:
        EXPERIMENTS[number] = grid
        return grid

    return register


# DAFormer: crops of 512, whole images in validation.

GTA = Training('gta', 'cityscapes', 'daformer_sepaspp', 'mitb5', 'dacs', workers=4, short_name=True)
DLV2 = replace(GTA, architecture='dlv2red', backbone='r101v1c')
SEGFORMER = replace(GTA, architecture='segformer')
# DAFormer's training: feature distance on things, rare class sampling, margins without pseudo-labels, slow teacher.
DAFORMER = {'uda': 'dacs_a999_fdthings', 'rcs': 0.01, 'margins': 1}
BOUNDS = ('source-only', 'dacs', 'target-only')


@experiment(1)
def architectures() -> Iterator[Training]:
    """Table 1: decoders of ResNet-101 and SegFormer, without adaptation, with DACS, and the oracle."""
    networks = [replace(DLV2, architecture=name) for name in ('dlv2red', 'da_nodbn', 'isa_nodbn', 'dlv3p_nodbn')]
    for network, uda in product([*networks, SEGFORMER], BOUNDS):
        yield from seeds([replace(network, uda=uda)])


@experiment(2)
def encoders_and_decoders() -> Iterator[Training]:
    """Table 2: which part of SegFormer makes the difference."""
    networks = [
        replace(GTA, architecture='sfa_dlv3p_nodbn', backbone='mitb5-del'),
        replace(SEGFORMER, backbone='r101v1c'),
    ]
    for network, uda in product(networks, BOUNDS[1:]):
        yield from seeds([replace(network, uda=uda)])


@experiment(3)
def encoder_sizes() -> Iterator[Training]:
    """Table 3: encoders of several sizes, one seed."""
    networks = [replace(DLV2, backbone=name) for name in ('r50v1c', 's50', 's101', 's200')]
    networks += [replace(SEGFORMER, backbone=name) for name in ('mitb3', 'mitb4')]
    for network, uda in product(networks, BOUNDS):
        yield replace(network, uda=uda)


@experiment(4)
def without_warmup() -> Iterator[Training]:
    """Table 4: the schedule without warm-up, one seed."""
    for network, uda in product((DLV2, SEGFORMER), BOUNDS[1:]):
        yield replace(network, uda=uda, schedule='poly10')


@experiment(5)
def training_strategies() -> Iterator[Training]:
    """Table 5: rare class sampling and feature distance, alone and together."""
    strategies = [
        {'uda': 'dacs', 'rcs': float('inf')},
        {'uda': 'dacs', 'rcs': 0.01},
        {'uda': 'dacs_fd'},
        {'uda': 'dacs_fdthings'},
        {'uda': 'dacs_fdthings', 'rcs': 0.01},
        DAFORMER,
    ]
    for strategy in strategies:
        yield from seeds([replace(SEGFORMER, **strategy)])
    yield from seeds([replace(DLV2, **DAFORMER)])


@experiment(6)
def context_fusion() -> Iterator[Training]:
    """Table 7: DAFormer's decoder and its variants, and the oracle of each."""
    decoders = (
        'daformer_conv1',
        'upernet',
        'upernet_ch256',
        'daformer_isa',
        'daformer_sepaspp_bottleneck',
        'daformer_aspp',
        'daformer_sepaspp',
    )
    for decoder, method in product(decoders, (DAFORMER, {'uda': 'target-only'})):
        yield from seeds([replace(GTA, architecture=decoder, **method)])


@experiment(7)
def daformer_synthia() -> Iterator[Training]:
    """Table 6: SYNTHIA to Cityscapes."""
    yield from seeds([replace(GTA, source='synthia', **DAFORMER)])


@experiment(8)
def daformer_adverse_conditions() -> Iterator[Training]:
    """Cityscapes to ACDC and to Dark Zurich."""
    for target in ('acdc', 'darkzurich'):
        yield from seeds([replace(GTA, source='cityscapes', target=target, **DAFORMER)])


@experiment(100)
def daformer_startup() -> Iterator[Training]:
    """Two iterations of each kind of network and method of DAFormer's experiments."""
    for network, uda in product((DLV2, SEGFORMER, GTA), BOUNDS):
        yield replace(network, uda=uda, max_iters=2)


@experiment(101)
def daformer_startup_data() -> Iterator[Training]:
    """Two iterations of DAFormer on each pair of data sets."""
    for source, target in (
        *product(('gta', 'synthia'), ['cityscapes']),
        *product(['cityscapes'], ('acdc', 'darkzurich')),
    ):
        yield replace(GTA, source=source, target=target, **DAFORMER, max_iters=2)


# HRDA: crops of 1024 at full resolution, of which a detail crop of 512 is seen at full resolution.

HRDA_NETWORK = 'hrda1-512-0.1_daformer_sepaspp'
HR = Training(
    'gtaHR',
    'cityscapesHR',
    HRDA_NETWORK,
    'mitb5',
    'dacs_a999_fdthings',
    crop=1024,
    rcs=0.01,
    rcs_min_crop=2.0,
    slide=True,
)
HRDA = replace(HR, margins=2)
LR = Training('gta', 'cityscapes', 'daformer_sepaspp', 'mitb5', 'dacs_a999_fdthings', rcs=0.01, margins=2)
SYNTHIA_HR = {'source': 'synthiaHR'}
SGD = {'optimizer': 'sgd', 'lr': 0.0025, 'fast_head': False}


@experiment(40)
def hrda() -> Iterator[Training]:
    """Table 1: GTA and SYNTHIA to Cityscapes."""
    yield from seeds([HRDA, replace(HRDA, **SYNTHIA_HR)])


@experiment(41)
def hrda_with_other_methods() -> Iterator[Training]:
    """Table 2: HRDA in adversarial training, entropy minimisation, DACS and DAFormer, on DeepLabV2."""
    plain = {'rcs': None, 'rcs_min_crop': 0.5, 'margins': None}
    low = replace(LR, architecture='dlv2red', backbone='r101v1c')
    high = replace(HRDA, architecture='hrda1-512-0.1_dlv2red', backbone='r101v1c', slide=False)
    for uda in ('advseg', 'minent'):
        for scale, source in ((low, 'gtaCAug'), (high, 'gtaCAugHR')):
            yield from seeds([replace(scale, uda=uda, source=source, **plain, **SGD)])
    for scale in (low, high):
        yield from seeds([replace(scale, uda='dacs', **plain)])
    for scale in (low, high):
        yield from seeds([scale])


@experiment(42)
def crop_sizes() -> Iterator[Training]:
    """Figure 4, left: one scale with crops of several sizes, at half and at full resolution."""
    for side in (128, 256, 384, 512):
        crop = None if side == 512 else (side, side)
        yield from seeds([replace(LR, sync_crop=crop, slide=True)])
    for side in (256, 512, 768):
        yield from seeds([replace(HRDA, architecture='daformer_sepaspp', sync_crop=(side, side))])


@experiment(43)
def oracle_crop_sizes() -> Iterator[Training]:
    """Figure 4, right: the same crops with the target's labels."""
    oracle = Training('', 'cityscapes', 'daformer_sepaspp', 'mitb5', 'target-only', slide=True)
    for side in (128, 256, 384, 512):
        yield from seeds([replace(oracle, crop=side)])
    for side in (256, 512, 768):
        yield from seeds([replace(oracle, target='cityscapesHR', crop=side)])


@experiment(44)
def hrda_ablations() -> Iterator[Training]:
    """Tables 3 to 7: context and detail crops, variants, weight of the detail loss, scale of the context."""
    for side in (512, 768):
        yield from seeds([replace(HRDA, sync_crop=(side, side))])
    for side in (256, 384):
        yield from seeds([_hrda(f'hrda1-{side}-0.1')])
    for option in ('samescale', 'blurhr', 'fixedatt', 'nooverlap'):
        yield from seeds([_hrda(f'hrda1-512-0.1-{option}')])
    for weight in (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        yield from seeds([_hrda(f'hrda1-512-{weight}')])
    for scale in (0.25, 0.75):
        yield from seeds([_hrda(f'hrda1-512-0.1-sc{scale}')])


@experiment(49)
def hrda_adverse_conditions() -> Iterator[Training]:
    """Cityscapes to ACDC and to Dark Zurich."""
    for target in ('acdcHR', 'darkzurichHR'):
        yield from seeds([replace(HR, source='cityscapesHR', target=target)])


def _hrda(prefix: str) -> Training:
    return replace(HRDA, architecture=f'{prefix}_daformer_sepaspp')


# MIC: masked image consistency on top.

MIC_HRDA = replace(HRDA, masking=Masking())
MIC_DAFORMER = Training(
    'gta', 'cityscapes', 'daformer_sepaspp', 'mitb5', 'dacs_a999_fdthings',
    rcs=0.01, margins=1, masking=Masking(block=32),
)  # fmt: skip
# Weather is masked on both domains and without colour augmentation.
MIC_WEATHER = replace(HR, source='cityscapesHR', masking=Masking('separate'))


@experiment(80)
def mic() -> Iterator[Training]:
    """Table 2: MIC on HRDA."""
    weather = [replace(MIC_WEATHER, target=target) for target in ('acdcHR', 'darkzurichHR')]
    yield from seeds([MIC_HRDA, replace(MIC_HRDA, **SYNTHIA_HR), *weather])


@experiment(81)
def mic_with_other_methods() -> Iterator[Training]:
    """Table 1: MIC with AdvSeg, MinEnt, DACS, DAFormer and HRDA on DeepLabV2, and with DAFormer."""
    dlv2 = replace(MIC_DAFORMER, architecture='dlv2red', backbone='r101v1c')
    plain = replace(dlv2, rcs=None, margins=None)
    yield from seeds([
        replace(plain, uda='advseg', **SGD),
        replace(plain, uda='minent', **SGD),
        replace(plain, uda='dacs'),
        dlv2,
        replace(MIC_HRDA, architecture='hrda1-512-0.1_dlv2red', backbone='r101v1c'),
        MIC_DAFORMER,
    ])  # fmt: skip


@experiment(82)
def mic_domains() -> Iterator[Training]:
    """Table 6: which domain is masked."""
    yield from seeds([
        replace(MIC_HRDA, masking=Masking('separatesrcaug')),
        replace(MIC_HRDA, masking=Masking('separateaug')),
        replace(MIC_WEATHER, target='acdcHR', masking=Masking('separatesrc')),
        replace(MIC_WEATHER, target='acdcHR', masking=Masking('separatetrg')),
    ])  # fmt: skip


@experiment(83)
def mic_components() -> Iterator[Training]:
    """Table 7: without colour augmentation, masks, slow teacher, and weights of pseudo-labels."""
    variants = (
        Masking('separatetrg', block=32),
        Masking(block=32, ratio=0),
        Masking(block=32, alpha=0),
        Masking(block=32, threshold=None),
    )
    yield from seeds(replace(MIC_DAFORMER, masking=masking) for masking in variants)


@experiment(84)
def mic_masks() -> Iterator[Training]:
    """Table 8: block sizes and mask ratios, but for that of Table 1."""
    for block, ratio in product((16, 32, 64, 128), (0.3, 0.5, 0.7, 0.9)):
        if (block, ratio) != (32, 0.7):
            yield from seeds([replace(MIC_DAFORMER, masking=Masking(block=block, ratio=ratio))])


@experiment(85)
def mic_supervised() -> Iterator[Training]:
    """Table 9: supervised training with masked images of the same data set."""
    supervised = replace(MIC_DAFORMER, source='cityscapes', uda='dacs_srconly', rcs=None, margins=None)
    yield from seeds([replace(supervised, masking=Masking('separatesrc', block=32))])
