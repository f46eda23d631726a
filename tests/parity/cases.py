"""The cases of the comparison with Keras: every case runs unchanged on Keras and on fastnn.

A case is a function of the library (``keras`` or ``fastnn``) that returns named arrays. Its inputs and weights come
from seeded NumPy generators, so nothing but the library's own arithmetic differs between two runs. ``record.py`` runs
the cases on Keras and writes ``data/<family>.npz``; ``test_parity.py`` runs them on fastnn and compares.
"""

import activation_cases
import callback_cases
import constraint_cases
import conv_cases
import data_cases
import embedding_cases
import fit_cases
import initializer_cases
import layer_cases
import loss_cases
import loss_option_cases
import masking_cases
import metric_cases
import model_cases
import optimizer_cases
import pooling_cases
import recurrent_cases
import regularizer_cases
import saving_callback_cases
import schedule_cases
import shape_cases
import transfer_cases

FAMILIES = {
    "activations": activation_cases.CASES,
    "layers": layer_cases.CASES,
    "convolutions": conv_cases.CASES,
    "recurrent": recurrent_cases.CASES,
    "shapes": shape_cases.CASES,
    "pooling": pooling_cases.CASES,
    "embeddings": embedding_cases.CASES,
    "losses": loss_cases.CASES,
    "loss_options": loss_option_cases.CASES,
    "metrics": metric_cases.CASES,
    "masking": masking_cases.CASES,
    "optimizers": optimizer_cases.CASES,
    "schedules": schedule_cases.CASES,
    "constraints": constraint_cases.CASES,
    "regularizers": regularizer_cases.CASES,
    "fit": fit_cases.CASES,
    "data": data_cases.CASES,
    "callbacks": callback_cases.CASES,
    "saving_callbacks": saving_callback_cases.CASES,
    "transfer": transfer_cases.CASES,
    "models": model_cases.CASES,
    "initializers": initializer_cases.CASES,
}
