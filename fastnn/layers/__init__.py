"""Layers: each keeps its settings, says the shape of its output, and names the operations that compute it."""
from .._describe import custom_object_scope, serialize
from .activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from .base import KerasTensor, Layer
from .bidirectional import Bidirectional
from .composite import registry
from .convolution import Conv1D, Conv2D, Convolution1D, Convolution2D
from .convolution_depthwise import (
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConvolution1D,
    SeparableConvolution2D,
)
from .convolution_transpose import Conv1DTranspose, Conv2DTranspose, Convolution1DTranspose, Convolution2DTranspose
from .core import ActivityRegularization, Identity, Lambda, Masking
from .dense import Dense
from .embedding import Embedding
from .global_pooling import (
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
)
from .group_normalization import GroupNormalization
from .gru import GRU, GRUCell
from .input import Input, InputLayer
from .lstm import LSTM, LSTMCell
from .normalization import BatchNormalization
from .padding import Cropping1D, Cropping2D, ZeroPadding1D, ZeroPadding2D
from .permuting import Permute
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AvgPool1D,
    AvgPool2D,
    MaxPool1D,
    MaxPool2D,
    MaxPooling1D,
    MaxPooling2D,
)
from .preprocessing import Normalization
from .recurrent import RNN
from .regularization import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from .rescaling import Rescaling
from .reshaping import Flatten, Reshape
from .resizing import RepeatVector, UpSampling1D, UpSampling2D
from .row_normalization import LayerNormalization, RMSNormalization, UnitNormalization
from .simple_rnn import SimpleRNN, SimpleRNNCell
from .spatial_dropout import SpatialDropout1D, SpatialDropout2D
from .stacked_cells import StackedRNNCells
from .time_distributed import TimeDistributed

_CLASSES = (ELU, GRU, LSTM, RNN, Activation, ActivityRegularization, AlphaDropout, AveragePooling1D, AveragePooling2D,
            BatchNormalization, Bidirectional, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Cropping1D,
            Cropping2D, Dense, DepthwiseConv1D, DepthwiseConv2D, Dropout, Embedding, Flatten, GRUCell, GaussianDropout,
            GaussianNoise, GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D,
            GroupNormalization, Identity, InputLayer, LSTMCell, Lambda, LayerNormalization, LeakyReLU, Masking,
            MaxPooling1D, MaxPooling2D, Normalization, PReLU, Permute, RMSNormalization, ReLU, RepeatVector, Rescaling,
            Reshape, SeparableConv1D, SeparableConv2D, SimpleRNN, SimpleRNNCell, Softmax, SpatialDropout1D,
            SpatialDropout2D, StackedRNNCells, TimeDistributed, UnitNormalization, UpSampling1D, UpSampling2D,
            ZeroPadding1D, ZeroPadding2D)
registry.enter(_CLASSES)

__all__ = [
    "ELU", "GRU", "LSTM", "RNN", "Activation", "ActivityRegularization", "AlphaDropout", "AveragePooling1D",
    "AveragePooling2D", "AvgPool1D", "AvgPool2D", "BatchNormalization", "Bidirectional", "Conv1D", "Conv1DTranspose",
    "Conv2D", "Conv2DTranspose", "Convolution1D", "Convolution1DTranspose", "Convolution2D", "Convolution2DTranspose",
    "Cropping1D", "Cropping2D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dropout", "Embedding", "Flatten",
    "GRUCell", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GroupNormalization", "Identity", "Input", "InputLayer", "KerasTensor", "LSTMCell", "Lambda",
    "Layer", "LayerNormalization", "LeakyReLU", "Masking", "MaxPool1D", "MaxPool2D", "MaxPooling1D", "MaxPooling2D",
    "Normalization", "PReLU", "Permute", "RMSNormalization", "ReLU", "RepeatVector", "Rescaling", "Reshape",
    "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D", "SimpleRNN",
    "SimpleRNNCell", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "StackedRNNCells", "TimeDistributed",
    "UnitNormalization", "UpSampling1D", "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D", "deserialize", "get",
    "registry", "serialize"]


def get(identifier) -> Layer:
    """The layer of a description ({"class_name": ..., "config": {...}}), or a layer itself; ValueError otherwise."""
    return registry.get(identifier)


def deserialize(config, custom_objects=None) -> Layer:
    """The layer of a description; ``custom_objects``: {name: class} that it may name too."""
    with custom_object_scope(custom_objects or {}):
        return get(config)
