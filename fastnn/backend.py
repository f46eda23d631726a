"""Settings of the process: the small number epsilon, the default float type, where the channels of images stand, and
the counters of automatic names."""
import re
import threading

_FLOAT_TYPES = ("float32", "float64")
_IMAGE_DATA_FORMATS = ("channels_last", "channels_first")

_epsilon = 1e-7
_floatx = "float32"
_image_data_format = "channels_last"
_used: dict[str, int] = {}            # how often each name was given
_lock = threading.Lock()              # two threads may build models at once, and names should still differ


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite where a function has no other.

    >>> epsilon()
    1e-07
    """
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set the small number; ValueError unless it is above 0 and below 1."""
    global _epsilon
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
        raise ValueError(f"`epsilon` must be a number between 0 and 1, got {value!r}")
    _epsilon = float(value)


def floatx() -> str:
    """The dtype of layers that are given none: "float32" or "float64".

    >>> floatx()
    'float32'
    """
    return _floatx


def set_floatx(value: str) -> None:
    """Set the default dtype for layers made from now on; ValueError unless it is "float32" or "float64"."""
    global _floatx
    if value not in _FLOAT_TYPES:
        raise ValueError(f"`floatx` must be 'float32' or 'float64', got {value!r}")
    _floatx = value


def image_data_format() -> str:
    """Where channels stand for layers that are told nothing: "channels_last" or "channels_first".

    >>> image_data_format()
    'channels_last'
    """
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the default for layers made from now on; ValueError unless "channels_last" or "channels_first"."""
    global _image_data_format
    if data_format not in _IMAGE_DATA_FORMATS:
        raise ValueError(f"`data_format` must be 'channels_last' or 'channels_first', got {data_format!r:.60}")
    _image_data_format = data_format


def clear_session() -> None:
    """Start the counters of automatic names again: the next Dense is "dense". Models that exist stay as they are."""
    with _lock:
        _used.clear()


def unique_name(name: str) -> str:
    """The name itself the first time, then with a number: "dense", "dense_1", ... until ``clear_session``."""
    with _lock:
        n = _used.get(name, 0)
        _used[name] = n + 1
    return f"{name}_{n}" if n else name


def snake_case(name: str) -> str:
    """A class name as Keras writes it in automatic names.

    >>> [snake_case(name) for name in ("Dense", "BatchNormalization", "MaxPooling2D", "Conv2D", "LSTM")]
    ['dense', 'batch_normalization', 'max_pooling2d', 'conv2d', 'lstm']
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
