"""Training methods: a segmentor (the student) and the passes that train it."""

from mmseg.models.uda.advseg import AdvSeg
from mmseg.models.uda.base import UDADecorator
from mmseg.models.uda.building import build_method
from mmseg.models.uda.dacs import DACS
from mmseg.models.uda.ddb import CrossPathDistillation
from mmseg.models.uda.minent import MinEnt
from mmseg.models.uda.pbal import PBALBidirectional, PBALSelfTraining
from mmseg.models.uda.proca import ProCA
from mmseg.models.uda.proda import ProDA
from mmseg.models.uda.prototype_distillation import PrototypeDistillation
from mmseg.models.uda.step import Step
from mmseg.models.uda.supervised import Supervised

__all__ = [
    'DACS',
    'AdvSeg',
    'CrossPathDistillation',
    'MinEnt',
    'PBALBidirectional',
    'PBALSelfTraining',
    'ProCA',
    'ProDA',
    'PrototypeDistillation',
    'Step',
    'Supervised',
    'UDADecorator',
    'build_method',
]
