"""Models: graphs of layers, trained and used."""
from .model import Model
from .sequential import Sequential

__all__ = ["Model", "Sequential"]
