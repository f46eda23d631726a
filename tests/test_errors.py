"""Every misuse gets a text that helps, before anything has changed.

The texts lie in golden/errors.txt, to be read as prose. After a change write them anew and read the difference:

    FASTNN_WRITE_GOLDEN=1 pytest tests/test_errors.py
"""
import os
import time
from importlib import import_module
from pathlib import Path

import pytest
from misuse import ARRAYS, Workbench
from misuse import MODELS as FIRST

# every file misuse_<family>.py has CASES of the form of MODELS
FAMILIES = [import_module(path.stem).CASES for path in sorted(Path(__file__).parent.glob("misuse_*.py"))]
MODELS = {name: case for cases in (FIRST, *FAMILIES) for name, case in cases.items()}
GOLDEN = Path(__file__).parent / "golden" / "errors.txt"
WRITE = os.environ.get("FASTNN_WRITE_GOLDEN") == "1"
LONGEST, SLOWEST = 400, 1.0          # characters, seconds of this thread
INDENT = "    "


def read_golden():
    """{name of a case: text}."""
    parts = GOLDEN.read_text(encoding="utf-8").split("\n\n") if GOLDEN.exists() else []
    named = (part.strip("\n").split("\n" + INDENT, 1) for part in parts)
    return {name: text for name, text in named}


@pytest.fixture(scope="module")
def golden():
    """The texts as they should be; written anew at the end when asked for."""
    texts = read_golden()
    if WRITE:
        texts = {name: texts.get(name, "") for name in (*ARRAYS, *MODELS)}
    yield texts
    if WRITE:
        parts = [f"{name}\n{INDENT}{text}" for name, text in texts.items()]
        GOLDEN.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def check(golden, name, call, words):
    """The call fails at once, with the golden text, which has all the words that such a text needs."""
    started = time.thread_time()                # of this test alone, however busy the machine is
    with pytest.raises((ValueError, TypeError, RuntimeError, MemoryError)) as caught:
        call()
    assert time.thread_time() - started < SLOWEST
    message = str(caught.value)
    text = f"{caught.type.__name__}: {message}"
    assert [word for word in words if word not in message] == [], text
    assert len(message) <= LONGEST and "\n" not in message, text
    if WRITE:
        golden[name] = text
    assert golden.get(name) == text


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(golden, name):
    call, *words = ARRAYS[name]
    check(golden, name, call, words)


@pytest.mark.parametrize("name", MODELS)
def test_models(golden, name):
    call, *words = MODELS[name]
    bench = Workbench(call.loss) if hasattr(call, "loss") else Workbench()
    before = bench.state()
    check(golden, name, lambda: call(bench), words)
    assert bench.state() == before, "weights, optimizer or step number changed"
    bench.model.fit(bench.x, bench.y, verbose=0)          # the model is as usable as before
    assert bench.state() != before


def test_golden_has_no_stale_texts(golden):
    assert sorted(golden) == sorted([*ARRAYS, *MODELS])


def test_a_learning_rate_of_zero_is_legal():
    bench = Workbench()
    weights = [w.numpy() for w in bench.model.trainable_weights]
    bench.model.optimizer.learning_rate = 0
    bench.model.fit(bench.x, bench.y, verbose=0)
    assert all((w.numpy() == before).all() for w, before in zip(bench.model.trainable_weights, weights, strict=True))
