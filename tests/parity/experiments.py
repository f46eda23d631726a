"""Three small experiments whose test accuracy is compared with that of Keras on the same data and splits.

scikit-learn is loaded where data are made: the nets alone are used without it.
"""

import numpy as np

SEEDS = range(5)


def split(x, y, seed, test_size):
    """Stratified training and test part, standardised with the mean and deviation of the training part."""
    from sklearn.model_selection import train_test_split
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=test_size, random_state=seed, stratify=y)
    mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
    return [((part - mean) / deviation).astype("float32") for part in (x_train, x_test)], [y_train, y_test]


def accuracy(model, x, y, epochs, batch_size):
    """Train with Adam on the first part of x and y; the accuracy on the second."""
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[0], y[0], epochs=epochs, batch_size=batch_size, verbose=0)
    return float(model.evaluate(x[1], y[1], verbose=0)[1])


def iris_model(K):
    """4-64-3."""
    layers = [K.layers.Dense(64, activation="relu"), K.layers.Dense(3, activation="softmax")]
    return K.Sequential([K.Input((4,)), *layers])


def iris(K, seed):
    """200 epochs in batches of 16."""
    from sklearn.datasets import load_iris
    K.utils.set_random_seed(seed)
    x, y = split(*load_iris(return_X_y=True), seed, test_size=0.25)
    return accuracy(iris_model(K), x, y, epochs=200, batch_size=16)


def deep_model(K):
    """20-64-32-16-3 with BatchNormalization and Dropout after every hidden layer: 4,451 parameters."""
    model = K.Sequential([K.Input((20,))])
    for units, rate in ((64, 0.3), (32, 0.3), (16, 0.2)):
        model.add(K.layers.Dense(units, activation="relu"))
        model.add(K.layers.BatchNormalization())
        model.add(K.layers.Dropout(rate))
    model.add(K.layers.Dense(3, activation="softmax"))
    return model


def deep(K, seed):
    """50 epochs on 800 rows of a synthetic problem with 20 features."""
    from sklearn.datasets import make_classification
    K.utils.set_random_seed(seed)
    problem = make_classification(1000, 20, n_informative=15, n_classes=3, random_state=seed)
    x, y = split(*problem, seed, test_size=0.2)
    return accuracy(deep_model(K), x, y, epochs=50, batch_size=32)


def large_digits():
    """The digits of scikit-learn as (1797, 784) numbers in [0, 1]: every pixel three times, two black ones around."""
    from sklearn.datasets import load_digits
    images, labels = load_digits(return_X_y=True)
    enlarged = np.kron(images.reshape(-1, 8, 8), np.ones((1, 3, 3)))
    framed = np.pad(enlarged, ((0, 0), (2, 2), (2, 2)))
    return (framed.reshape(-1, 784) / 16).astype("float32"), labels


def digits_model(K):
    """784-128-64-10."""
    hidden = [K.layers.Dense(units, activation="relu") for units in (128, 64)]
    return K.Sequential([K.Input((784,)), *hidden, K.layers.Dense(10, activation="softmax")])


def digits(K, seed):
    """10 epochs in batches of 32."""
    from sklearn.model_selection import train_test_split
    K.utils.set_random_seed(seed)
    x, y = large_digits()
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=seed, stratify=y)
    return accuracy(digits_model(K), [x_train, x_test], [y_train, y_test], epochs=10, batch_size=32)


def digits_cnn_model(K):
    """Two convolutions of 3 x 3, each with a pooling behind it, and two dense layers."""
    L = K.layers
    return K.Sequential([
        K.Input((28, 28, 1)), L.Conv2D(32, (3, 3), activation="relu"), L.MaxPooling2D(),
        L.Conv2D(64, (3, 3), activation="relu"), L.MaxPooling2D(), L.Flatten(), L.Dense(128, activation="relu"),
        L.Dense(10, activation="softmax")])


def digits_cnn(K, seed):
    """15 epochs in batches of 16."""
    from sklearn.model_selection import train_test_split
    K.utils.set_random_seed(seed)
    x, y = large_digits()
    x_train, x_test, y_train, y_test = train_test_split(x.reshape(-1, 28, 28, 1), y, test_size=0.2, random_state=seed,
                                                        stratify=y)
    return accuracy(digits_cnn_model(K), [x_train, x_test], [y_train, y_test], epochs=15, batch_size=16)


def sine_model(K, layer):
    """Two recurrent layers of 64 units over 30 steps, and a number: "LSTM", "GRU" or "SimpleRNN"."""
    recurrent = getattr(K.layers, layer)
    return K.Sequential([K.Input((30, 1)), recurrent(64, return_sequences=True), recurrent(64), K.layers.Dense(1)])


def sine(K, layer, seed):
    """The mean squared error of the next value of a sine, on its last fifth, after 6 epochs in batches of 32."""
    K.utils.set_random_seed(seed)
    series = np.sin(0.1 * np.arange(1530)).astype("float32")
    x, y = np.lib.stride_tricks.sliding_window_view(series, 30)[:-1, :, None], series[30:, None]
    model, n = sine_model(K, layer), len(x) * 4 // 5
    model.compile(optimizer="adam", loss="mse")
    model.fit(x[:n], y[:n], epochs=6, batch_size=32, verbose=0)
    return float(np.mean((np.asarray(model.predict(x[n:], verbose=0)) - y[n:]) ** 2))


EXPERIMENTS = {"iris": iris, "deep": deep, "digits": digits}
