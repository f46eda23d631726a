"""TensorFlow: an epoch is one graph with a loop over shuffled batches; Keras's layers and Adam.

For nets of convolutions or LSTMs with dense layers. It lives in an environment of its own: TENSORFLOW_PYTHON names its
Python.
"""
import tensorflow as tf
from contestants import Contestant
from workloads import BATCH, LEARNING_RATE


def make(workload, x, y):
    tf.keras.utils.set_random_seed(0)
    model = tf.keras.Sequential([tf.keras.Input(workload.shape, dtype=str(x.dtype)), *map(layer, workload.layers[:-1]),
                                 tf.keras.layers.Dense(workload.outputs)])
    optimizer = tf.keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)
    x, y = tf.constant(x), tf.constant(y)
    forward = tf.function(lambda rows: model(rows, training=False), reduce_retracing=True)

    def step(rows, labels):
        with tf.GradientTape() as tape:
            loss = loss_of(workload, labels, model(rows, training=True))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
        return loss

    @tf.function
    def an_epoch():
        order, total = tf.random.shuffle(tf.range(len(x))), 0.0
        for start in tf.range(0, len(x), BATCH):
            rows = order[start:start + BATCH]
            total += step(tf.gather(x, rows), tf.gather(y, rows))
        return total * BATCH / len(x)

    def train(epochs):
        for _ in range(epochs):
            loss = an_epoch()
        return float(loss)

    return Contestant(train, x, lambda rows: forward(rows).numpy())


def loss_of(workload, labels, logits):
    """The mean cross-entropy, or squared error."""
    if workload.number:
        return tf.reduce_mean(tf.square(logits[:, 0] - labels))
    if workload.outputs == 1:
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels[:, None], tf.float32), logits))
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def layer(described):
    """The layer of a line of the description."""
    kind, *settings = described
    if kind == "convolution":
        return tf.keras.layers.Conv2D(*settings, 3, activation="relu")
    if kind == "dense":
        return tf.keras.layers.Dense(*settings, activation="relu")
    if kind == "embedding":
        return tf.keras.layers.Embedding(*settings)
    if kind == "lstm":
        return tf.keras.layers.LSTM(settings[0], return_sequences=settings[1])
    return {"max_pooling": tf.keras.layers.MaxPooling2D, "flatten": tf.keras.layers.Flatten}[kind]()
