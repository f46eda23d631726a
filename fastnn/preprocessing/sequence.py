"""Sequences of different lengths."""
from ..utils.padding import pad_sequences

__all__ = ["pad_sequences"]
