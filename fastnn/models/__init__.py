"""Models: graphs of layers, trained and used."""
from .model import Model
from .persistence import clone_model, load_model, model_from_json, save_model
from .sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]
