"""Names that only Keras has, given as text: the answer is not a name that looks alike."""
import fastnn

ONLY_KERAS = "Keras has it, fastnn does not (yet)"


class Subclassed(fastnn.Model):
    """A model as Keras lets one write it."""

    def call(self, x):
        return x


CASES = {
    "a model that branches": (lambda b: fastnn.Model(inputs=fastnn.Input((4,)), outputs=b.model.output),
                              "Model(inputs, outputs)", "Sequential"),
    "a subclass of Model with a call": (lambda b: Subclassed(name="mine")(b.x), "'mine'", "call()", "Sequential"),
    "compile: an optimizer that only Keras has": (lambda b: b.model.compile("muon", "mse"),
                                                  "optimizer identifier: 'muon'", ONLY_KERAS, "adam"),
    "compile: a loss that only Keras has": (lambda b: b.model.compile("adam", "ctc"), "loss identifier: 'ctc'",
                                            ONLY_KERAS, "bce"),
    "an activation that only Keras has": (lambda b: fastnn.layers.Dense(3, activation="glu"),
                                          "activation function identifier: 'glu'", ONLY_KERAS, "relu"),
    "an initializer that only Keras has": (lambda b: fastnn.layers.Dense(3, kernel_initializer="STFT"),
                                           "initializer identifier: 'STFT'", ONLY_KERAS, "glorot_uniform"),
}
