"""Pretrained weights of encoders: finding the file, recognising its layout, loading it strictly.

Files lie in ``pretrained/`` and are put there by hand or by ``tools/get_pretrained.py``; nothing is fetched during a
run. A config names the file, or what it is published as (``open-mmlab://resnet101_v1c``, or the address itself).
"""

from mmseg.engine.pretrained.find import find_pretrained
from mmseg.engine.pretrained.layouts_mit import convert_hugging_face_mit, convert_openmmlab_mit
from mmseg.engine.pretrained.load import load_complete, load_pretrained, read_encoder, read_pretrained
from mmseg.engine.pretrained.published import PUBLISHED

__all__ = [
    'PUBLISHED',
    'convert_hugging_face_mit',
    'convert_openmmlab_mit',
    'find_pretrained',
    'load_complete',
    'load_pretrained',
    'read_encoder',
    'read_pretrained',
]
