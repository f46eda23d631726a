"""The cases of the comparison with Keras: every case runs unchanged on Keras and on fastnn.

A case is a function of the library (``keras`` or ``fastnn``) that returns named arrays. Its inputs and weights come
from seeded NumPy generators, so nothing but the library's own arithmetic differs between two runs. ``record.py`` runs
the cases on Keras and writes ``data/<family>.npz``; ``test_parity.py`` runs them on fastnn and compares.
"""

import callback_cases
import fit_cases
import initializer_cases
import layer_cases
import loss_cases
import model_cases
import optimizer_cases

FAMILIES = {
    "layers": layer_cases.CASES,
    "losses": loss_cases.CASES,
    "optimizers": optimizer_cases.CASES,
    "fit": fit_cases.CASES,
    "callbacks": callback_cases.CASES,
    "models": model_cases.CASES,
    "initializers": initializer_cases.CASES,
}
