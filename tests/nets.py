"""Small nets and data that several test files train, and comparisons of what came of it."""
import numpy as np

import fastnn
from fastnn.layers import Activation, BatchNormalization, Dense, Dropout
from fastnn.models.describing import weights_by_name


def blobs(rows=96, features=20, classes=3, seed=0, dtype="float32"):
    """Points around a centre for each class: (x, integer labels)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    x = rng.standard_normal((classes, features))[y] + rng.standard_normal((rows, features))
    return x.astype(dtype), y


def deep_net(features=20, classes=3, dropout=0.3, seed=7):
    """Every kind of layer there is, compiled: dense, activation, batch normalisation, dropout."""
    fastnn.random.set_seed(seed)
    fastnn.backend.clear_session()
    model = fastnn.Sequential([
        fastnn.Input((features,)), Dense(64, activation="relu"), BatchNormalization(), Dropout(dropout),
        Dense(32), BatchNormalization(), Activation("tanh"), Dense(16, activation="sigmoid"),
        Dense(classes, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def small_net(features=4, classes=3, seed=7, optimizer="adam", metrics=()):
    """4-64-64-3, compiled."""
    fastnn.random.set_seed(seed)
    fastnn.backend.clear_session()
    model = fastnn.Sequential([fastnn.Input((features,)), Dense(64, activation="relu"), Dense(64, activation="relu"),
                               Dense(classes, activation="softmax")])
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def linear_net(seed=0, units=1, features=3, **compiled):
    fastnn.random.set_seed(seed)
    fastnn.backend.clear_session()
    model = fastnn.Sequential([fastnn.Input((features,)), Dense(units)])
    model.compile(**{"optimizer": fastnn.optimizers.SGD(0.1), "loss": "mse", **compiled})
    return model


def fit(model, callbacks, epochs=4, **options):
    """100 rows in batches of 8."""
    x, y = blobs(rows=100)
    return model.fit(x, y, batch_size=8, epochs=epochs, verbose=0, callbacks=callbacks, **options)


def bits(arrays):
    """The bytes of all arrays, for comparisons bit by bit."""
    return b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)


def nested():
    """Models in models, with layers of the same names in each."""
    inner = fastnn.Sequential([fastnn.Input((8,)), Dense(8, activation="relu", name="a"), Dropout(0.2)], name="inner")
    middle = fastnn.Sequential([inner, Dense(8, name="a"), BatchNormalization()], name="middle")
    model = fastnn.Sequential([fastnn.Input((8,)), Dense(8, name="a"), middle, Dense(3, activation="softmax",
                                                                                     name="b")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


def trained(model=None, epochs=2):
    model = model or deep_net()
    x, y = blobs(features=model.input_shape[-1])
    model.fit(x, y, epochs=epochs, verbose=0)
    return model, x, y


def state(model):
    """All that a training step changes."""
    names = {variable: name for name, variable in weights_by_name(model).items()}
    return bits([*model.get_weights(), *(value for _, value in sorted(model.optimizer.state(names).items()))])


def check_goes_on(model, again, x, y):
    """Both predict alike now, and after more training."""
    assert bits([again.predict(x, verbose=0)]) == bits([model.predict(x, verbose=0)])
    histories = [m.fit(x, y, epochs=3, batch_size=17, validation_split=0.2, verbose=0).history for m in (model, again)]
    assert histories[0] == histories[1]
    assert state(model) == state(again)
    assert model.evaluate(x, y, verbose=0) == again.evaluate(x, y, verbose=0)
