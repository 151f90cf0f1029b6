"""Names of trainings, as the published experiments spell them."""

from __future__ import annotations

from mmseg.experiments.grid import SAME, Masking, Training, Unknown

MASK_CODES = {
    'separate': 'sep',
    'separateaug': 'spa',
    'separatesrc': 'sps',
    'separatesrcaug': 'spsa',
    'separatetrg': 'spt',
    'separatetrgaug': 'spta',
}
SHORT = {'cityscapes': 'cs', 'synthia': 'syn', 'darkzurich': 'dzur'}


def dataset_name(training: Training) -> str:
    """E.g. ``gta2cityscapes`` or ``gtaHR2cityscapesHR_1024x1024``."""
    crop = '' if training.crop == 512 else f'_{training.crop}x{training.crop}'
    return f'{training.source}2{training.target}{"" if training.short_name else crop}'


def decoder_name(training: Training) -> str:
    """The architecture, with ``_sl`` for inference by windows."""
    return training.architecture + ('_sl' if training.slide else '')


def method_name(training: Training) -> str:
    """E.g. ``dacs_a999_fdthings_rcs0.01-2.0_cpl2_m64-0.7-spta``."""
    parts = [training.uda]
    if training.rcs is not None:
        own_ratio = '' if training.rcs_min_crop == 0.5 else f'-{training.rcs_min_crop}'
        parts.append(f'rcs{training.rcs}{own_ratio}')
    if training.sync_crop:
        parts.append('sf{}x{}'.format(*training.sync_crop))
    if training.margins is not None:
        parts.append({1: 'cpl', 2: 'cpl2'}[training.margins])
    if training.masking is not None:
        parts.append(_masking_name(training.masking))
    return '_'.join(parts)


def optimizer_name(training: Training) -> str:
    """E.g. ``adamw_6e-05_pmTrue_poly10warm_1x2_40k``: rate, fast head, schedule, GPUs x batch, iterations."""
    length = f'{training.max_iters // 1000}k'
    return f'{training.optimizer}_{training.lr}_pm{training.fast_head}_{training.schedule}_1x2_{length}'


def training_name(training: Training) -> str:
    """Name of files and folders: data set, method, network, schedule and what is unusual of the optimizer, seed."""
    parts = [dataset_name(training), method_name(training), decoder_name(training), training.backbone]
    parts.append(training.schedule)
    if not training.short_name:
        parts += [training.optimizer] if training.optimizer != 'adamw' else []
        parts += [str(training.lr)] if training.lr != 6e-5 else []
        parts += [] if training.fast_head else ['pmFalse']
    name = '_'.join([*parts, f's{training.seed}'])
    for old, new in {
        '.': '',
        'True': 'T',
        'False': 'F',
        'None': 'N',
        '[': '',
        ']': '',
        ' ': '',
        ',': 'j',
        **SHORT,
    }.items():
        name = name.replace(old, new)
    return name


def _masking_name(masking: Masking) -> str:
    if masking.mode not in MASK_CODES:
        raise Unknown(f'masking mode {masking.mode!r}; known: {", ".join(MASK_CODES)}')
    alpha = '' if masking.alpha == SAME else f'a{masking.alpha}-'
    threshold = '' if masking.threshold == SAME else f'p{masking.threshold}-'
    weight = '' if masking.weight == 1 else f'-w{masking.weight}'
    return f'm{masking.block}-{masking.ratio}-{alpha}{threshold}{MASK_CODES[masking.mode]}{weight}'
