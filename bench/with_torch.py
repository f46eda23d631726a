"""PyTorch: eager, with the fused Adam, gradients set to None, inference mode; batches by indexing the whole tensor."""
import torch
from contestants import Contestant
from torch import nn
from workloads import BATCH, EPSILON, LEARNING_RATE, MOMENTUM


def make(workload, x, y):
    torch.manual_seed(0)
    model = nn.Sequential(*modules(workload))
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    cross_entropy = nn.CrossEntropyLoss()
    x, y = torch.from_numpy(x), torch.from_numpy(y)

    def an_epoch():
        total = torch.zeros(())
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad(set_to_none=True)
            loss = cross_entropy(model(x[rows]), y[rows])
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

    return Contestant(train, x, torch.inference_mode()(model.__call__), None)


def modules(workload):
    """The layers in order."""
    size = workload.features
    for number, (kind, *settings) in enumerate(workload.layers, start=1):
        if kind == "dense":
            yield glorot(nn.Linear(size, *settings))
            size = settings[0]
            if number < len(workload.layers):
                yield nn.ReLU()
        elif kind == "dropout":
            yield nn.Dropout(*settings)
        else:
            yield nn.BatchNorm1d(size, eps=EPSILON, momentum=1 - MOMENTUM)


def glorot(linear):
    """The layer with the initial weights of Keras, for its own make the losses after a few epochs another's."""
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
