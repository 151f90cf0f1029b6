"""Segmentors: whole networks, from images to class scores."""

from mmseg.models.segmentors.encoder_decoder import EncoderDecoder

__all__ = ['EncoderDecoder']
