"""Datasets, pairs of domains, and how samples are drawn and stacked."""

from mmseg.datasets.acdc import ACDCDataset
from mmseg.datasets.base_dataset import BaseSegDataset
from mmseg.datasets.bdd100k import BDD100KDataset
from mmseg.datasets.camvid import CamVidDataset
from mmseg.datasets.cityscapes import CityscapesDataset
from mmseg.datasets.class_balanced import ClassBalancedDataset, ClassBalancedSampling
from mmseg.datasets.collate import collate_domains, collate_samples
from mmseg.datasets.concatenation import ConcatDataset
from mmseg.datasets.dark_zurich import DarkZurichDataset
from mmseg.datasets.domain_pair import UDADataset
from mmseg.datasets.gta import GTADataset
from mmseg.datasets.mapillary import MapillaryDataset
from mmseg.datasets.rare_class_sampling import RareClassSampling
from mmseg.datasets.sampler import SampleNumberSampler
from mmseg.datasets.synscapes import SynscapesDataset
from mmseg.datasets.synthia import SynthiaDataset

__all__ = [
    'ACDCDataset',
    'BDD100KDataset',
    'BaseSegDataset',
    'CamVidDataset',
    'CityscapesDataset',
    'ClassBalancedDataset',
    'ClassBalancedSampling',
    'ConcatDataset',
    'DarkZurichDataset',
    'GTADataset',
    'MapillaryDataset',
    'RareClassSampling',
    'SampleNumberSampler',
    'SynscapesDataset',
    'SynthiaDataset',
    'UDADataset',
    'collate_domains',
    'collate_samples',
]
