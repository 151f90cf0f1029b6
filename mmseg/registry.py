"""The registries: every name in a config (`type='...'`) is looked up in one of these.

They are children of mmengine's registries, so its own classes (optimizers, loops, hooks) are found too. A registry
imports the modules in ``locations`` the first time a name is looked up.
"""

from typing import Any

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOG_PROCESSORS as MMENGINE_LOG_PROCESSORS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS
from mmengine.registry import PARAM_SCHEDULERS as MMENGINE_PARAM_SCHEDULERS
from mmengine.registry import RUNNERS as MMENGINE_RUNNERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import Registry, build_from_cfg


def _build_dataset(cfg: Any, registry: Registry, default_args: dict[str, Any] | None = None) -> Any:
    """A list of datasets is one dataset made of them; a list of one is that dataset."""
    if isinstance(cfg, (list, tuple)):
        cfg = cfg[0] if len(cfg) == 1 else {'type': 'ConcatDataset', 'datasets': list(cfg)}
    return build_from_cfg(cfg, registry, default_args)


MODELS = Registry('model', parent=MMENGINE_MODELS, locations=['mmseg.models'])
DATASETS = Registry('dataset', build_func=_build_dataset, parent=MMENGINE_DATASETS, locations=['mmseg.datasets'])
DATA_SAMPLERS = Registry('data sampler', parent=MMENGINE_DATA_SAMPLERS, locations=['mmseg.datasets'])
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, locations=['mmseg.datasets.transforms'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, locations=['mmseg.evaluation'])
RUNNERS = Registry('runner', parent=MMENGINE_RUNNERS, locations=['mmseg.engine'])
LOOPS = Registry('loop', parent=MMENGINE_LOOPS, locations=['mmseg.engine'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, locations=['mmseg.engine'])
LOG_PROCESSORS = Registry('log processor', parent=MMENGINE_LOG_PROCESSORS, locations=['mmseg.engine'])
PARAM_SCHEDULERS = Registry('parameter scheduler', parent=MMENGINE_PARAM_SCHEDULERS, locations=['mmseg.engine'])
OPTIM_WRAPPER_CONSTRUCTORS = Registry(
    'optimizer wrapper constructor', parent=MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS, locations=['mmseg.engine']
)
VISUALIZERS = Registry('visualizer', parent=MMENGINE_VISUALIZERS, locations=['mmseg.visualization'])
