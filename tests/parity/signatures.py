"""The constructors and methods whose parameters are compared with those of Keras."""

import inspect

CLASSES = [
    *(f"layers.{name}" for name in ("Layer", "Dense", "Activation", "Flatten", "Dropout", "BatchNormalization")),
    *(f"layers.{name}" for name in ("GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization")),
    *(f"layers.{name}" for name in ("LayerNormalization", "RMSNormalization", "UnitNormalization", "Normalization")),
    *(f"layers.{kind}{rank}D{end}" for rank in (1, 2) for kind, end in (
        ("Conv", ""), ("Conv", "Transpose"), ("DepthwiseConv", ""), ("SeparableConv", ""))),
    *(f"layers.{name}" for name in ("Reshape", "Identity", "Masking", "Rescaling", "Lambda")),
    *(f"layers.{name}" for name in ("ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D", "UpSampling1D",
                                    "UpSampling2D", "Permute", "RepeatVector", "SpatialDropout1D", "SpatialDropout2D",
                                    "GroupNormalization")),
    *(f"layers.{kind}Pooling{rank}D" for rank in (1, 2) for kind in ("Max", "Average", "GlobalMax", "GlobalAverage")),
    *(f"regularizers.{name}" for name in ("L1", "L2", "L1L2", "OrthogonalRegularizer")),
    *(f"layers.{name}" for name in ("ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax")),
    *(f"optimizers.{name}" for name in ("SGD", "RMSprop", "Adam", "AdamW", "Nadam", "Adagrad", "Adadelta", "Adamax",
                                        "Lion")),
    *(f"optimizers.schedules.{name}" for name in ("ExponentialDecay", "InverseTimeDecay", "PiecewiseConstantDecay",
                                                  "PolynomialDecay", "CosineDecay", "CosineDecayRestarts")),
    *(f"constraints.{name}" for name in ("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm")),
    *(f"losses.{name}" for name in (
        "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy", "CategoricalFocalCrossentropy",
        "CategoricalHinge", "CosineSimilarity", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss",
        "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError",
        "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge")),
    *(f"metrics.{name}" for name in (
        "Metric", "Accuracy", "AUC", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
        "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "CosineSimilarity", "F1Score",
        "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge", "IoU", "KLDivergence", "LogCoshError", "Mean",
        "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU", "MeanMetricWrapper", "MeanSquaredError",
        "MeanSquaredLogarithmicError", "OneHotIoU", "OneHotMeanIoU", "PearsonCorrelation", "Poisson", "Precision",
        "PrecisionAtRecall", "R2Score", "Recall", "RecallAtPrecision", "RootMeanSquaredError",
        "SensitivityAtSpecificity", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
        "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity", "SquaredHinge", "Sum", "TopKCategoricalAccuracy",
        "TrueNegatives", "TruePositives")),
    *(f"callbacks.{name}" for name in ("EarlyStopping", "LambdaCallback")),
    *(f"callbacks.{name}" for name in ("BackupAndRestore", "CSVLogger", "LearningRateScheduler", "ModelCheckpoint")),
    *(f"callbacks.{name}" for name in ("ReduceLROnPlateau", "TerminateOnNaN")),
    *(f"initializers.{name}" for name in ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal")),
    *(f"initializers.{name}" for name in ("LecunUniform", "LecunNormal", "Zeros", "Ones", "Constant", "RandomNormal")),
    *(f"initializers.{name}" for name in ("TruncatedNormal", "RandomUniform", "VarianceScaling", "Orthogonal")),
    "initializers.Identity",
    *(f"utils.{name}" for name in ("PyDataset", "Sequence", "Progbar")),
    "Sequential",
]
FUNCTIONS = [
    *(f"Sequential.{name}" for name in ("save", "save_weights", "load_weights", "to_json")),
    *(f"models.{name}" for name in ("load_model", "model_from_json", "clone_model")),
    "Input",
    "layers.Normalization.adapt",
    *(f"Sequential.{name}" for name in ("compile", "fit", "evaluate", "predict", "train_on_batch")),
    *(f"Sequential.{name}" for name in ("test_on_batch", "predict_on_batch")),
    *(f"Sequential.{name}" for name in ("add", "pop", "build", "summary", "count_params")),
    *(f"Sequential.{name}" for name in ("get_weights", "set_weights")),
    *(f"callbacks.Callback.on_{run}_{edge}" for run in ("train", "test", "predict") for edge in ("begin", "end")),
    *(f"callbacks.Callback.on_{run}_batch_{e}" for run in ("train", "test", "predict") for e in ("begin", "end")),
    *(f"callbacks.Callback.on_epoch_{edge}" for edge in ("begin", "end")),
    *(f"callbacks.Callback.set_{name}" for name in ("params", "model")),
    *(f"losses.{name}" for name in (
        "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
        "categorical_focal_crossentropy", "categorical_hinge", "cosine_similarity", "hinge", "huber", "kl_divergence",
        "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
        "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge")),
    *(f"activations.{name}" for name in ("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "sigmoid")),
    *(f"activations.{name}" for name in ("log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "tanh", "hard_tanh")),
    *(f"activations.{name}" for name in ("tanh_shrink", "hard_shrink", "soft_shrink", "softplus", "squareplus")),
    *(f"activations.{name}" for name in ("sparse_plus", "softsign", "silu", "hard_silu", "gelu", "mish")),
    *(f"activations.{name}" for name in ("exponential", "softmax", "log_softmax", "get", "deserialize")),
    *(f"metrics.Metric.{name}" for name in ("add_variable", "add_weight", "reset_state", "result")),
    *(f"metrics.{name}" for name in (
        "binary_accuracy", "categorical_accuracy", "concordance_correlation", "pearson_correlation",
        "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy")),
    *(f"utils.{name}" for name in ("to_categorical", "normalize", "pad_sequences", "split_dataset", "set_random_seed")),
    *(f"utils.{name}" for name in ("register_keras_serializable", "get_custom_objects")),
    *(f"utils.Progbar.{name}" for name in ("update", "add")),
    "preprocessing.sequence.pad_sequences",
    "backend.clear_session",
]


def find(library, path):
    """The object that a dotted path names."""
    for name in path.split("."):
        library = getattr(library, name)
    return library


def parameters(function):
    """[name, kind] or [name, kind, default] of every parameter but self."""
    result = []
    for p in inspect.signature(function).parameters.values():
        default = [] if p.default is inspect.Parameter.empty else [p.default]
        result.append([p.name, p.kind.name, *default])
    return result[1:] if result and result[0][0] == "self" else result


def signatures(library):
    """The parameters of all the classes and functions, by path."""
    # the constructor itself: a class may hide it behind a __new__ that takes anything
    result = {path: parameters(find(library, path).__init__) for path in CLASSES}
    return result | {path: parameters(find(library, path)) for path in FUNCTIONS}
