"""fastnn: `fit` for any number of epochs is one call into the compiled program."""
from contestants import Contestant
from workloads import BATCH, EPSILON, LEARNING_RATE, MOMENTUM

import fastnn
from fastnn import layers


def make(workload, x, y):
    fastnn.utils.set_random_seed(0)
    activation, loss = ("softmax", "sparse_categorical_crossentropy") if workload.outputs > 1 else (
        (None, "mse") if workload.number else ("sigmoid", "binary_crossentropy"))
    model = fastnn.Sequential([fastnn.Input(workload.shape, dtype=str(x.dtype)), *map(layer, workload.layers[:-1]),
                               layers.Dense(workload.outputs, activation=activation)])
    model.compile(optimizer=fastnn.optimizers.Adam(LEARNING_RATE), loss=loss)

    def train(epochs):
        return model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0).history["loss"][-1]

    return Contestant(train, x, model, lambda rows: model.predict(rows, verbose=0), middle=0.5)


def layer(described):
    """The layer of a line of the description."""
    kind, *settings = described
    if kind == "dense":
        return layers.Dense(*settings, activation="relu")
    if kind == "convolution":
        return layers.Conv2D(*settings, (3, 3), activation="relu")
    if kind == "max_pooling":
        return layers.MaxPooling2D()
    if kind == "flatten":
        return layers.Flatten()
    if kind == "embedding":
        return layers.Embedding(*settings)
    if kind == "lstm":
        return layers.LSTM(settings[0], return_sequences=settings[1])
    if kind == "dropout":
        return layers.Dropout(*settings)
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)
