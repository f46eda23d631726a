"""PyTorch: eager, with the fused Adam, gradients set to None, inference mode; batches by indexing the whole tensor.

BENCH_CHANNELS_LAST=1: pictures and filters in memory with their channels last.
"""
import math
import os

import torch
from contestants import Contestant
from torch import nn
from workloads import BATCH, EPSILON, LEARNING_RATE, MOMENTUM

FORMAT = torch.channels_last if os.environ.get("BENCH_CHANNELS_LAST") else torch.contiguous_format


def make(workload, x, y):
    torch.manual_seed(0)
    model = nn.Sequential(*modules(workload))
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    if workload.pictures:
        x, model = x.permute(0, 3, 1, 2).contiguous(memory_format=FORMAT), model.to(memory_format=FORMAT)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    loss_function = nn.CrossEntropyLoss()
    if workload.outputs == 1:
        loss_function = nn.MSELoss() if workload.number else nn.BCEWithLogitsLoss()
        y = y[:, None].float()

    def an_epoch():
        total = torch.zeros(())
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_function(model(batch_of(x, rows)), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return total

    def train(epochs):
        model.train()
        for _ in range(epochs):
            total = an_epoch()
        model.eval()
        return total.item() * BATCH / len(x)

    return Contestant(train, x, torch.inference_mode()(model.__call__))


def batch_of(x, rows):
    """These rows, pictures in the chosen format."""
    batch = x[rows]
    return batch.contiguous(memory_format=FORMAT) if batch.ndim == 4 else batch


def modules(workload):
    """The layers in order."""
    *image, size = workload.shape
    for number, (kind, *settings) in enumerate(workload.layers, start=1):
        if kind == "dense":
            yield glorot(nn.Linear(size, *settings))
            size = settings[0]
            if number < len(workload.layers):
                yield nn.ReLU()
        elif kind == "convolution":
            yield glorot(nn.Conv2d(size, *settings, 3))
            yield nn.ReLU()
            image, size = [n - 2 for n in image], settings[0]
        elif kind == "max_pooling":
            yield nn.MaxPool2d(2)
            image = [n // 2 for n in image]
        elif kind == "flatten":
            yield nn.Flatten()
            size *= math.prod(image)
        elif kind == "dropout":
            yield nn.Dropout(*settings)
        elif kind == "embedding":
            yield nn.Embedding(*settings, _weight=torch.empty(settings).uniform_(-0.05, 0.05))
            size = settings[1]
        elif kind == "lstm":
            yield Recurrent(size, *settings)
            size = settings[0]
        else:
            yield nn.BatchNorm1d(size, eps=EPSILON, momentum=1 - MOMENTUM)


class Recurrent(nn.Module):
    """An LSTM that gives all steps or the last, with the initial weights of Keras."""

    def __init__(self, size, units, all_steps):
        super().__init__()
        self.lstm, self.all_steps = nn.LSTM(size, units, batch_first=True), all_steps
        for name, parameter in self.lstm.named_parameters():
            start = {"weight_ih": nn.init.xavier_uniform_, "weight_hh": nn.init.orthogonal_}
            start.get(name[:9], nn.init.zeros_)(parameter)
        with torch.no_grad():
            self.lstm.bias_ih_l0[units:2 * units] = 1          # the forget gate's

    def forward(self, x):
        y = self.lstm(x)[0]
        return y if self.all_steps else y[:, -1]


def glorot(layer):
    """The layer with the initial weights of Keras, for its own make the losses after a few epochs another's."""
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
