"""The progress bar: Keras's look in a terminal, plain lines elsewhere."""
import io
import re
import sys
import threading

import pytest

from fastnn.callbacks import Progress, progress

LOGS = {"accuracy": 0.95123, "loss": 0.025, "val_loss": 0.0005}


class Terminal(io.StringIO):
    """A stream that says it is a terminal; what a person would see there is ``screen()``."""

    def isatty(self):
        return True

    def screen(self):
        """The lines after all carriage returns, without colours."""
        lines = []
        for line in re.sub(r"\x1b\[\d*m", "", self.getvalue()).split("\n"):
            shown = ""
            for part in line.split("\r"):
                shown = part + shown[len(part):]
            lines.append(shown.rstrip())
        return lines


class Clock:
    """Stands for the module ``time`` in progress.py."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def run(bar, clock, epochs=1, n=8, seconds=0.112, logs=LOGS):
    """A run that reports every batch."""
    for epoch in range(epochs):
        bar.epoch_begin(epoch)
        for done in range(1, n + 1):
            clock.now += seconds / n
            bar.update(done, {"loss": 1.0 / done})
        bar.epoch_end(n, logs)


def test_plain_stream_gets_one_line_an_epoch(clock):
    stream = io.StringIO()
    run(Progress(1, 2, 8, stream), clock, epochs=2)
    line = "8/8 ━━━━━━━━━━━━━━━━━━━━ 0s 14ms/step - accuracy: 0.9512 - loss: 0.0250 - val_loss: 5.0000e-04\n"
    assert stream.getvalue() == "Epoch 1/2\n" + line + "Epoch 2/2\n" + line


def test_one_epoch_has_no_heading(clock):
    stream = io.StringIO()
    run(Progress("auto", 1, 8, stream), clock)
    assert stream.getvalue().startswith("8/8 ━")


def test_verbose_2_is_one_line(clock):
    for stream in (io.StringIO(), Terminal()):
        run(Progress(2, 3, 8, stream), clock, epochs=1)
        assert stream.getvalue() == ("Epoch 1/3\n8/8 - 0s - 14ms/step - accuracy: 0.9512 - loss: 0.0250 - "
                                     "val_loss: 5.0000e-04\n")


def test_verbose_0_writes_nothing(clock):
    stream = Terminal()
    bar = Progress(0, 3, 8, stream)
    run(bar, clock, epochs=3)
    assert stream.getvalue() == "" and not bar.shown and bar.interval == 0.0


def test_a_process_without_stdout_is_silent(monkeypatch, clock):
    monkeypatch.setattr(sys, "stdout", None)
    bar = Progress(1, 3, 8)
    run(bar, clock, epochs=3)
    assert not bar.shown


def test_stdout_is_looked_up_at_the_start_of_each_run(capsys, clock):
    run(Progress(2, 1, 8), clock)
    assert "14ms/step" in capsys.readouterr().out


@pytest.mark.parametrize(("verbose", "shown"), [(0, False), (False, False), (1, True), (True, True), (2, True),
                                                ("auto", True)])
def test_levels(verbose, shown):
    assert Progress(verbose, 1, 1, io.StringIO()).shown is shown


@pytest.mark.parametrize("verbose", [3, -1, "loud", None, 1.5])
def test_another_level_is_refused(verbose):
    with pytest.raises(ValueError, match="`verbose` must be 0, 1, 2 or 'auto', got"):
        Progress(verbose, 1, 1)


def test_interval_tells_who_wants_updates():
    wanted = {(level, type(s)): Progress(level, 1, 1, s).interval for level in (0, 1, 2)
              for s in (io.StringIO(), Terminal())}
    assert [key for key, interval in wanted.items() if interval] == [(1, Terminal)]


# in a terminal


def test_terminal_shows_the_bar_and_then_the_line(clock):
    stream = Terminal()
    bar = Progress(1, 1, 8, stream)
    bar.epoch_begin(0)
    clock.now += 1.0
    bar.update(2, {"loss": 0.5})
    assert stream.screen()[-1] == "2/8 ━━━━━━━━━━━━━━━━━━━━ 3s 500ms/step - loss: 0.5000"
    clock.now += 3.0
    bar.epoch_end(8, {"loss": 0.25})
    assert stream.screen() == ["8/8 ━━━━━━━━━━━━━━━━━━━━ 4s 500ms/step - loss: 0.2500", ""]


def test_colours_are_those_of_keras(clock):
    stream = Terminal()
    bar = Progress(1, 1, 10, stream)
    clock.now += 1.0
    bar.update(5, {})
    assert ("\x1b[1m 5/10\x1b[0m \x1b[32m" + 10 * "━" + "\x1b[0m\x1b[37m" + 10 * "━"
            + "\x1b[0m \x1b[1m1s\x1b[0m 200ms/step") in stream.getvalue()


def test_a_shorter_text_leaves_nothing_of_the_longer(clock):
    stream = Terminal()
    bar = Progress(1, 1, 100, stream)
    for done, logs in ((10, {"a_metric_with_a_long_name": 1.0, "loss": 2.0}), (20, {"loss": 2.0})):
        clock.now += 1.0
        bar.update(done, logs)
    assert stream.screen()[-1] == " 20/100 ━━━━━━━━━━━━━━━━━━━━ 8s 100ms/step - loss: 2.0000"


def test_draws_at_most_every_50_ms(clock):
    stream = Terminal()
    bar = Progress(1, 1, 10_000, stream)
    bar.epoch_begin(0)
    for done in range(1, 10_001):
        clock.now += 0.0001
        bar.update(done, {"loss": 1.0})
    assert 15 <= stream.getvalue().count("/step") <= 20


def test_drawing_does_not_count_as_time_of_a_step(clock, monkeypatch):
    draw = progress._bar_class()

    def slow(**options):
        clock.now += 50.0
        return draw(**options)

    monkeypatch.setattr(progress, "_bar_class", lambda: slow)
    stream = Terminal()
    run(Progress(1, 1, 8, stream), clock, seconds=0.8)
    assert stream.screen()[-2].startswith("8/8 ━━━━━━━━━━━━━━━━━━━━ 1s 100ms/step")


def test_short_epochs_never_load_tqdm(clock, monkeypatch):
    monkeypatch.setattr(progress, "_bar_class", None)
    stream = Terminal()
    run(Progress(1, 5, 8, stream), clock, epochs=5, seconds=0.04)
    assert stream.getvalue().count("5ms/step") == 5


def test_no_thread_is_started(clock):
    bar = Progress(1, 1, 8, Terminal())
    clock.now += 1
    bar.update(1, {})
    assert [t for t in threading.enumerate() if type(t).__name__ == "TMonitor"] == []
    bar.close()


def test_the_line_is_cut_to_the_terminal_only_while_running(clock, monkeypatch):
    wide = progress._bar_class()

    def narrow(**options):
        return wide(**options | {"dynamic_ncols": False, "ncols": 40})

    monkeypatch.setattr(progress, "_bar_class", lambda: narrow)
    stream = Terminal()
    bar = Progress(1, 1, 8, stream)
    clock.now += 1.0
    bar.update(2, LOGS)
    assert len(stream.screen()[-1]) == 40
    bar.epoch_end(8, LOGS)
    assert stream.screen()[0].endswith("val_loss: 5.0000e-04")


def test_close_takes_an_unfinished_bar_away(clock):
    stream = Terminal()
    bar = Progress(1, 1, 8, stream)
    clock.now += 1.0
    bar.update(2, LOGS)
    bar.close()
    bar.close()
    assert stream.screen() == [""]


# the parts of the line


def test_unknown_number_of_steps(clock):
    stream = Terminal()
    bar = Progress(1, 2, None, stream)
    bar.epoch_begin(0)
    clock.now += 2.0
    bar.update(12, {"loss": 1.0})
    assert stream.screen()[-1] == "     12/Unknown 2s 167ms/step - loss: 1.0000"
    bar.epoch_end(None, {"loss": 1.0})
    assert stream.screen()[-2] == "12/12 ━━━━━━━━━━━━━━━━━━━━ 2s 167ms/step - loss: 1.0000"
    assert bar.steps == 12, "known from now on"


@pytest.mark.parametrize(("seconds", "text"), [
    (8e-6 * 7.4, " 0s 7µs/step"), (8 * 0.0123, " 0s 12ms/step"), (8 * 3.0, " 24s 3s/step"), (8e-3, " 0s 1ms/step"),
    (0.0, " 0s 0s/step")])
def test_time_of_a_step(seconds, text):
    stream = io.StringIO()
    Progress(1, 1, 8, stream).epoch_end(8, {}, seconds)
    assert stream.getvalue() == "8/8 " + 20 * "━" + text + "\n"


@pytest.mark.parametrize(("seconds", "text"), [(0.5, "0s"), (59.9, "59s"), (65, "1:05"), (3599, "59:59"),
                                               (7207, "2:00:07")])
def test_eta(seconds, text):
    assert progress._eta(seconds) == text


@pytest.mark.parametrize(("value", "text"), [
    (0.12345, "0.1235"), (0.0, "0.0000e+00"), (1e-3, "1.0000e-03"), (-2.5, "-2.5000"), (-1e-4, "-1.0000e-04"),
    (float("nan"), "nan"), (1234.5, "1234.5000")])
def test_numbers(value, text):
    stream = io.StringIO()
    Progress(2, 1, 1, stream).epoch_end(1, {"loss": value}, 0.0)
    assert stream.getvalue() == f"1/1 - 0s - 0s/step - loss: {text}\n"


def test_validation_does_not_count_as_time_of_a_step(clock):
    stream = io.StringIO()
    bar = Progress(2, 2, 8, stream)
    bar.epoch_begin(0)
    clock.now += 0.8
    bar.stop_clock()
    clock.now += 60.0
    bar.epoch_end(8, {})
    bar.epoch_begin(1)
    clock.now += 1.6
    bar.epoch_end(8, {})
    assert stream.getvalue() == "Epoch 1/2\n8/8 - 1s - 100ms/step\nEpoch 2/2\n8/8 - 2s - 200ms/step\n"


def test_no_steps_at_all(clock):
    stream = io.StringIO()
    Progress(1, 1, 0, stream).epoch_end(0, {}, 0.0)
    assert stream.getvalue() == "      0/Unknown 0s 0s/step\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_every_encoding_can_take_it(encoding):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    Progress(1, 1, 8, stream).epoch_end(8, {}, 8e-6)
    text = raw.getvalue().decode(encoding)
    bar, micro = "━" if encoding == "utf-8" else "=", "u" if encoding == "ascii" else "µ"
    assert text == f"8/8 {20 * bar} 0s 1{micro}s/step\n"
