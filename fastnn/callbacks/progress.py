"""What a run shows: a progress bar in a terminal, plain lines elsewhere."""
from __future__ import annotations

import sys
import time
from functools import cache
from typing import Any

INTERVAL = 0.05       # seconds between two drawings of a bar
WIDTH = 20            # characters of a bar
DONE, LEFT, BOLD, PLAIN = "\x1b[32m", "\x1b[37m", "\x1b[1m", "\x1b[0m"      # green, grey


class Progress:
    """Shows how far a run is, in Keras's look.

    ``verbose``: 0 nothing; 1, True or "auto" a bar, redrawn in a terminal, written once at the end of an epoch
    elsewhere; 2 one line an epoch. ``epochs``: "Epoch i/n" is written when there is more than one. ``steps``: batches
    of an epoch, None if unknown. ``stream``: default ``sys.stdout``. ``interval``: seconds between two calls of
    ``update`` that draw, 0.0 where none does. The clock starts when the object is made, and again with ``epoch_begin``.
    Raises ValueError for another ``verbose``.
    """

    def __init__(self, verbose, epochs: int, steps: int | None, stream=None):
        if verbose not in (0, 1, 2, "auto"):
            raise ValueError(f"`verbose` must be 0, 1, 2 or 'auto', got {verbose!r:.60}")
        self.stream = sys.stdout if stream is None else stream
        self.verbose = 0 if self.stream is None else 1 if verbose == "auto" else int(verbose)
        self.epochs, self.steps = epochs, steps
        self._terminal = bool(self.verbose) and getattr(self.stream, "isatty", bool)()
        self.interval = INTERVAL if self._terminal and self.verbose == 1 else 0.0
        self._bar: Any = None
        self._done, self._drawn, self._seconds = 0, 0.0, 0.0
        self._started = time.perf_counter()

    @property
    def shown(self) -> bool:
        """Whether anything is written at all."""
        return self.verbose != 0

    def epoch_begin(self, epoch: int) -> None:
        """Epoch number ``epoch``, counted from 0, begins."""
        self._done, self._seconds = 0, 0.0
        self._started = self._drawn = time.perf_counter()
        if self.verbose and self.epochs > 1:
            self._write(f"Epoch {epoch + 1}/{self.epochs}\n")

    def update(self, done: int, logs: dict[str, float]) -> None:
        """``done`` batches have run, with these means so far; draws at most every 50 ms, may be called at any rate."""
        self._done = done
        now = time.perf_counter()
        if not self.interval or now - self._drawn < self.interval:
            return
        text = self._text(done, logs, now - self._started, running=True)
        if self._bar is None:
            # {desc} is all there is: the look is Keras's, while tqdm trims it to the terminal and redraws it
            self._bar = _bar_class()(total=1, desc=text, bar_format="{desc}", file=self.stream, leave=False,
                                     dynamic_ncols=True)
        else:
            self._bar.set_description_str(text)
        self._drawn = time.perf_counter()
        self._started += self._drawn - now        # drawing, and loading tqdm once, is no part of a step

    def stop_clock(self) -> None:
        """The training steps of the epoch are done; what follows does not count as time of a step."""
        self._seconds = time.perf_counter() - self._started

    def epoch_end(self, done: int | None, logs: dict[str, float], seconds: float | None = None) -> None:
        """Write the line that stays, after ``done`` batches (None: those last reported).

        ``seconds``: what they took; None for the time since the epoch began, up to ``stop_clock`` if that was called.
        """
        self.close()
        if not self.verbose:
            return
        done = self._done if done is None else done
        self.steps = self.steps or done
        if seconds is None:
            seconds = self._seconds or time.perf_counter() - self._started
        self._write(self._text(done, logs, seconds, running=False) + "\n")

    def close(self) -> None:
        """Take an unfinished bar away; for runs that end with an exception."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _text(self, done: int, logs: dict[str, float], seconds: float, running: bool) -> str:
        """The line for ``done`` batches that took ``seconds``."""
        step = seconds / done if done else 0.0
        counts = f"{done:{len(str(self.steps))}d}/{self.steps}" if self.steps else f"{done:7d}/Unknown"
        metrics = "".join(f" - {name}: {_number(value)}" for name, value in logs.items())
        step_text = f"{_duration(step, self._glyph('µ', 'u'))}/step"
        if self.verbose == 2:
            return f"{counts} - {seconds:.0f}s - {step_text}{metrics}"
        clock = _eta(step * (self.steps - done)) if running and self.steps else f"{seconds:.0f}s"
        return f"{self._style(BOLD, counts)}{self._bar_text(done)} {self._style(BOLD, clock)} {step_text}{metrics}"

    def _bar_text(self, done: int) -> str:
        """20 heavy strokes, as many of them green as the share that is done."""
        if not self.steps:
            return ""
        full = min(WIDTH, WIDTH * done // self.steps)
        stroke = self._glyph("━", "=")
        return f" {self._style(DONE, stroke * full)}{self._style(LEFT, stroke * (WIDTH - full))}"

    def _style(self, code: str, text: str) -> str:
        return f"{code}{text}{PLAIN}" if self._terminal and text else text

    def _glyph(self, glyph: str, plain: str) -> str:
        """``glyph`` where the stream can write it, else ``plain``."""
        try:
            glyph.encode(getattr(self.stream, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return plain
        return glyph

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
        except UnicodeEncodeError:                # a stream that knows ASCII only: the look is not worth a run
            self.stream.write(text.encode("ascii", "replace").decode())
        self.stream.flush()


@cache
def _bar_class():
    """tqdm, loaded when a bar is first shown, and without the thread that it starts to watch slow loops."""
    from tqdm import tqdm

    class Bar(tqdm):
        monitor_interval = 0

    return Bar


def _number(value: Any) -> str:
    """A number, or the list of numbers that some metrics give."""
    if getattr(value, "ndim", 0):
        return f"[{', '.join(map(_number, value))}]"
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def _duration(seconds: float, micro: str) -> str:
    """Whole seconds, milliseconds or microseconds."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}{micro}s"


def _eta(seconds: float) -> str:
    """Seconds to go, as 12s, 1:05 or 2:00:07."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"
