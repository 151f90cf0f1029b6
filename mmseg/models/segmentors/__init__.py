"""Segmentors: whole networks, from images to class scores."""

from mmseg.models.segmentors.cascade_encoder_decoder import CascadeEncoderDecoder
from mmseg.models.segmentors.encoder_decoder import EncoderDecoder
from mmseg.models.segmentors.hrda_encoder_decoder import HRDAEncoderDecoder

__all__ = ['CascadeEncoderDecoder', 'EncoderDecoder', 'HRDAEncoderDecoder']
