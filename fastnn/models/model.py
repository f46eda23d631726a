"""Model: a graph of layers that can be compiled, trained and used."""
from __future__ import annotations

import copy
import threading
import weakref
from typing import Any

import numpy as np

from .. import _arrays, _overrides, _settings, _spelling, _winograd, losses, optimizers, random
from .. import metrics as metrics_by_name
from ..callbacks import History
from ..layers.base import BUILDING, KerasTensor, Layer
from ..layers.composite import within
from ..losses import Loss
from ..metrics import Metric
from ..optimizers import Optimizer
from ..program import Ids, Lowering, Profile, Program, Recent, Value, Variable, Vector, move_together
from .data import Checker, with_feature_axis
from .graph import Graph
from .persistence import Saved
from .restart import Restart
from .run import Run
from .steps import check_form, lower_prediction, lower_step
from .summary import summary_text
from .training import Training

# Methods that Keras's fit, evaluate and predict call.
STEPS = {"train_step", "test_step", "predict_step", "compute_loss", "compute_metrics", "make_train_function",
         "make_test_function", "make_predict_function"}


class Model(Saved, Restart, Training):
    """What models share: weights in flat vectors, programs cached by what they depend on, summary and inspection.

    A model is a layer too: it can be called on arrays, and used inside other models.
    """
    not_called: frozenset[str] = frozenset(STEPS)          # methods that a subclass overrides in vain

    def __init_subclass__(cls, **options):
        super(Layer, cls).__init_subclass__(**options)
        _overrides.refuse(cls, cls.not_called, "fit runs a compiled step; give compile a loss, metrics or layers of "
                          "your own, or write the loop with train_on_batch or optimizer.apply_gradients")


    def __init__(self, *graph, **kwargs):
        if graph or {"inputs", "outputs"} & kwargs.keys():
            raise ValueError("Model(inputs, outputs): models that branch are not in this version; write layers that "
                             "follow one another as Sequential([Input(shape), ...])")
        super().__init__(**kwargs)
        self.graph: Graph | None = None
        self.optimizer: Optimizer | None = None
        self.loss: Loss | None = None
        self.loss_weight = 1.0
        self.metric_identifiers: list[Any] = []
        self.weighted_identifiers: list[Any] = []
        self.metrics: list[Metric] = []                 # those of the last program of a step
        self.history: History | None = None
        self.stop_training = False
        self.seed = random.get_seed()
        self.notes: dict[str, Any] = {}                 # plain data of the user's that goes with the model into files
        self._checker = Checker(self.dtype)
        self._busy = threading.Lock()
        self._steps: Recent[Any, Program] = Recent()
        self._predictions: Recent[tuple, tuple[Program, tuple]] = Recent()
        self._leaves: list[Layer] = []
        self._owners: weakref.WeakSet[Model] = weakref.WeakSet()       # models that hold this one as a layer

    # structure

    def build(self, input_shape) -> None:
        raise ValueError(f"model {self.name!r}: a subclass of Model with its own call() cannot be built in this "
                         "version; write layers that follow one another as Sequential([Input(shape), ...])")

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the inputs."""
        return [] if self.graph is None else self.graph.layers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or number; ValueError names the layers there are."""
        for i, layer in enumerate(self.layers):
            if layer.name == name or (name is None and i == index):
                return layer
        raise ValueError(f"model {self.name!r} has no layer {name if name is not None else index!r}; it has "
                         f"{[layer.name for layer in self.layers]}")

    @property
    def weights(self) -> list[Variable]:
        return list(dict.fromkeys(w for layer in self.layers for w in layer.weights))

    def _layers_inside(self) -> list[Layer]:
        return self.layers

    @property
    def input_shape(self) -> tuple:
        """Shape of the input, None for the batch axis; ValueError before the model is built."""
        return self._built_graph().inputs[0].shape

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs; ValueError before the model is built."""
        return self._built_graph().inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs; ValueError before the model is built."""
        return self._built_graph().outputs

    def compute_output_shape(self, input_shape):
        graph = self._built_graph()
        self._check_shape(tuple(input_shape[1:]))
        sizes_known = None not in graph.inputs[0].shape[1:]
        return graph.outputs[0].shape if sizes_known else graph.output_shapes([tuple(input_shape)])[0]

    def lower(self, build: Lowering, x: Value, mask: Value | None = None):
        self.compute_output_shape((None, *x.shape))            # refuses what does not fit
        return self._built_graph().lower(build, [(x, mask)])[0]

    def reads_ids(self) -> Ids | None:
        """What the layers that its input goes to read, if each reads ids: the least of them."""
        return None if self.graph is None else self.graph.reads_ids()

    def _built_graph(self) -> Graph:
        if self.graph is None:
            raise ValueError(f"model {self.name!r} is not built: begin it with Input(shape), call "
                             "build((None, features)), or call fit or predict with data first")
        return self.graph

    def _set_graph(self, graph: Graph) -> None:
        """Take a graph over: its weights move into one vector for weights and one for layer state."""
        self.graph = graph
        self.input, self.output = graph.inputs[0], graph.outputs[0]
        self.output_shape = self.output.shape
        self.built = True
        self._leaves = [leaf for layer in self.layers for leaf in getattr(layer, "_leaves", [layer])]
        self._adopt_dtype()
        for layer in self.layers:
            if isinstance(layer, Model):
                layer._owners.add(self)
        loose = [w for w in self.weights if not w.vector.shared]
        for name, state in (("weights", False), ("state", True)):
            chosen = [w for w in loose if w.state is state]
            if chosen:
                move_together(f"{name} of {self.name}", chosen, self.dtype)
        self.forget_programs()

    def _adopt_dtype(self) -> None:
        """A model has one dtype: its layers take it over, unless their weights are another model's already."""
        for layer in self.layers:
            if layer.dtype == self.dtype:
                continue
            if isinstance(layer, Model) or any(w.vector.shared for w in layer.weights):
                raise ValueError(f"model {self.name!r} is {self.dtype}, but layer {layer.name!r} is {layer.dtype} and "
                                 "part of another model: all layers of a model have one dtype")
            for part in (layer, *within(layer)):
                part.dtype = self.dtype

    def forget_programs(self) -> None:
        super().forget_programs()
        self._steps.clear()
        self._predictions.clear()

    def rebuild(self) -> None:
        """Connect the layers again after one of them, a model itself, has changed."""
        raise NotImplementedError

    def _symbolic(self, x: KerasTensor) -> KerasTensor:
        if self.graph is None:
            self.build(x.shape)
        return super()._symbolic(x)

    def _call_array(self, x, training: bool, mask=None):
        x, shape = _arrays.as_rows(x, "x"), self._row_shape
        if shape is not None:
            x = with_feature_axis(x, shape)
        return super()._call_array(x, training, mask)

    # programs

    def program(self, training: bool | None = None) -> Program:
        """The program of a training step (default once compiled and fitted or loss and data shapes are known) or of
        prediction: print it to see every operation; for inputs of any size that of the last data. ValueError before
        the model is built, or has seen data of a size.
        """
        shape = self._last_shape()
        if training or (training is None and self.loss is not None):
            if self.loss is None:
                raise ValueError(f"model {self.name!r} has no training step: call compile() with a loss first")
            outputs = self.compute_output_shape((None, *shape))[1:]
            return self._step(shape, self.loss.target_shape(outputs), True, None)
        return self._prediction(shape)[0]

    def _last_shape(self) -> tuple:
        """The shape of a row of the inputs: where sizes are open, of the data whose program was made last."""
        shape = self.input_shape[1:]
        seen = [key[0] for programs in (self._predictions, self._steps) for key in list(programs)]
        if None in shape and not seen:
            raise ValueError(f"model {self.name!r} takes inputs of any size, {self.input_shape}, and a program is for "
                             "one: call predict or fit with data first")
        return seen[-1] if None in shape else shape

    def _prediction(self, shape: tuple) -> tuple[Program, tuple]:
        """(program, output shape) of prediction for inputs of this shape."""
        with BUILDING:
            winograd = _winograd.enabled
            key = (shape, winograd)
            found = self._predictions.get(key)
            if found is None:
                found = self._predictions.keep(key, lower_prediction(
                    self.name, self.lower, shape, self.reads_ids(), self.dtype, self.seed, winograd))
        return found

    def _step(self, shape: tuple, target_shape: tuple, training: bool, weights: tuple | None) -> Program:
        """The program of one batch of training or evaluation."""
        winograd = _winograd.enabled
        key = (shape, target_shape, training, weights, self._training_signature(), winograd)
        program = self._steps.get(key)
        if program is None:
            optimizer, loss = self._compiled()
            outputs = self.compute_output_shape((None, *shape))[1:]
            loss = loss.resolved(outputs, target_shape)
            plain, weighted = ([metrics_by_name.resolve(m, outputs, target_shape) for m in identifiers]
                               for identifiers in (self.metric_identifiers, self.weighted_identifiers))
            plain, weighted = self._numbered(plain, weighted)
            self.metrics = plain + weighted
            for metric in self.metrics:
                check_form(metric, loss, outputs, target_shape)
            if training:
                optimizer.belong_to(self)
            program = lower_step(self.name, self.lower, shape, self.reads_ids(), self.dtype, self.seed, winograd, loss,
                                 plain, weighted, weights, optimizer if training else None, self.loss_weight)
            self._steps.keep(key, program)
        return program

    def _check_shape(self, shape: tuple) -> None:
        expected = self.input_shape[1:]
        if not _arrays.fits(shape, expected):
            advice = "; for one row add an axis: x[None]" if shape == expected[1:] else ""
            raise ValueError(f"model {self.name!r}: expected input of shape {self.input_shape}, got {(None, *shape)}"
                             f"{advice}")

    @staticmethod
    def _numbered(plain: list[Metric], weighted: list[Metric]) -> tuple[list[Metric], list[Metric]]:
        """Metrics of one name are numbered within the model: auc, auc_1 (Keras counts them per process); a weighted
        one that meets its name says so: weighted_auc."""
        seen = {"loss": 1}

        def name(metric: Metric, prefix: str) -> Metric:
            chosen = metric.name if metric.name not in seen else f"{prefix}{metric.name}"
            n = seen.get(chosen, 0)
            seen[chosen] = n + 1
            chosen = f"{chosen}_{n}" if n else chosen
            if chosen != metric.name:
                metric = copy.copy(metric)                # the caller's own object keeps its name
                metric.name = chosen
            return metric

        return [name(m, "") for m in plain], [name(m, "weighted_") for m in weighted]

    def _training_signature(self) -> tuple:
        return tuple([layer._training_signature() for layer in self._leaves])

    # settings

    def compile(self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None,
                run_eagerly=False, steps_per_execution=1, jit_compile="auto", auto_scale_loss=True,
                **unknown) -> None:
        """Choose how to train.

        ``optimizer``, ``loss``: a name or an object; ``metrics``: a list of names, objects or functions
        (y_true, y_pred); ``weighted_metrics``: such in which class and sample weights count. ``loss_weights``: a number
        that multiplies the loss, without the penalties of regularizers. Loss and this may stand in a list of one.
        The last four are accepted for Keras's sake: programs are always compiled.
        Raises ValueError for unknown names, naming the nearest; nothing changes then.
        """
        if unknown:
            raise TypeError(_spelling.unknown_argument("compile", unknown, Model.compile))
        chosen = optimizers.get(optimizer)
        loss, loss_weights = _of_one(loss, "loss"), _of_one(loss_weights, "loss_weights")
        chosen_loss = None if loss is None else losses.get(loss)
        weight = 1.0 if loss_weights is None else _arrays.number("compile", "loss_weights", loss_weights)
        identifiers, weighted = metrics_by_name.flat(metrics), metrics_by_name.flat(weighted_metrics)
        for identifier in identifiers + weighted:
            metrics_by_name.check(identifier)
        self.optimizer, self.loss, self.loss_weight = chosen, chosen_loss, weight
        self.metric_identifiers, self.weighted_identifiers = identifiers, weighted
        self.metrics = []
        self._steps.clear()

    def _compiled(self) -> tuple[Optimizer, Loss]:
        if self.optimizer is None or self.loss is None:
            missing = "a loss" if self.optimizer is not None else "compile()"
            raise ValueError(f"model {self.name!r}: You must call `compile()` with an optimizer and a loss before "
                             f"training or evaluating; {missing} is missing")
        return self.optimizer, self.loss

    def reset_states(self) -> None:
        """Let all stateful layers begin again with zeros."""
        for layer in within(self):
            if hasattr(layer, "reset_state"):
                layer.reset_state()

    # inspection

    def summary(self, line_length=None, positions=None, print_fn=None, expand_nested=False, show_trainable=False,
                layer_range=None) -> None:
        """Print the layers with their output shapes and numbers of weights; ``print_fn`` receives the whole text."""
        (print_fn or print)(summary_text(self, line_length, positions, expand_nested, show_trainable, layer_range))

    def profile(self, x, y, batch_size: int = 32, repeats: int = 100) -> Profile:
        """Seconds of each operation of a training step on the rows of x and y; weights and states stay as they are.

        Print the result: slowest first, with its share and rate. Raises as ``fit`` does for bad data.
        """
        batch_size = _settings.check_batch_size(batch_size)
        repeats = _arrays.whole_number("repeats", repeats, 1)
        with self._training_alone():
            optimizer, _ = self._compiled()
            program, arrays, n = self._prepare(x, y, None, True)
            run = Run(program, arrays, n, batch_size)
            kept = [(home, home.data.copy()) for home in run.plan.homes if isinstance(home, Vector)]
            seconds = np.zeros(len(run.plan.operations))
            try:
                with run:
                    for _ in range(repeats):
                        run.frame.run(arrays, n, run.batch_size, 0, 1, None, optimizer.rates(1), 0, 1, 0.0, seconds)
            finally:
                for vector, data in kept:
                    vector.data[...] = data
        plan = run.plan
        return Profile(program, plan, seconds, repeats)


def _of_one(value: Any, argument: str) -> Any:
    """What a list of one holds: Keras takes one for each output. ValueError for a list of any other length."""
    if not isinstance(value, (list, tuple)):
        return value
    if len(value) != 1:
        raise ValueError(f"compile: `{argument}` must be one, as the model has one output, got {len(value)}: "
                         f"{value!r:.80}")
    return value[0]
