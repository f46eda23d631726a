"""The command ``fastnn``: train a net, predict with it, run the race, say what is installed.

Exit status 0 when all went well, 1 when a package or memory is missing or a result is wrong, 2 for a wrong name, option
or file, always with one line on stderr. A command lives in the module of its name, loaded when it is called for; each
has OPTIONS and ``run(options)``.
"""
import argparse
import csv
import difflib
import importlib
import os
import re
import sys
import time

_loaded = time.perf_counter()
COMMANDS = {
    "train": "train a net on a CSV file, a text, or a known data set, and show how well it learned",
    "predict": "predict for the rows of a CSV file with a model that was trained on another",
    "generate": "complete a text with a model that was trained on one",
    "summary": "show what is in a model file",
    "bench": "race Python loops, NumPy, torch (where installed) and fastnn on one computation",
    "info": "show the version, compiler, instruction sets and threads in use",
}


class CommandError(Exception):
    """What the command cannot do, in one line, and the exit status that says so."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


class _Parser(argparse.ArgumentParser):
    """An argparse parser whose complaint is one line without the usage."""

    def error(self, message):
        raise CommandError(re.sub("^argument [A-Z]+: ", "", message), 2)     # a value says itself what it is for

    def check_options(self, arguments):
        """Refuse an unknown option before argparse takes the value behind it for something else."""
        known = list(self._option_string_actions)
        listed = [name for name in known if name.startswith("--")]
        for argument in arguments:
            option = argument.partition("=")[0]
            if option.startswith("-") and not option[1:2].isdigit() and option not in known:
                raise CommandError(unknown("option", option, listed) if len(listed) > 1 else
                                   f"unknown option {option!r}; see {listed[0]}", 2)


def one_of(what, names):
    """An argparse type: one of ``names``, else an error with the nearest."""
    def parse(text):
        if text not in names:
            raise argparse.ArgumentTypeError(unknown(what, text, names))
        return text
    return parse


def whole(text):
    """An argparse type: a whole number of 1 or more."""
    return _whole(text, 1, 10**9)


def seed(text):
    """An argparse type: a seed that scikit-learn takes as well."""
    return _whole(text, 0, 2**32 - 1)


def wholes(text):
    """An argparse type: whole numbers of 1 or more, separated by commas."""
    return [whole(part.strip()) for part in text.split(",")]


def names(text):
    """An argparse type: names of columns, separated by commas; two quotes around a name that holds one."""
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), []) if name.strip()]


def file_name(text):
    """An argparse type: the name of a file or folder."""
    if not text:
        raise argparse.ArgumentTypeError("expected a name, got ''")
    return text


def _whole(text, least, most):
    # No more digits than the limit has: int() of a very long text is refused by Python itself.
    if not text.isdecimal() or len(text) > len(str(most)) or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, got {text!r}")
    return int(text)


def unknown(what, text, names):
    """The sentence about an unknown name, with the nearest known one."""
    near = difflib.get_close_matches(text, names, n=1, cutoff=0.6)
    advice = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(names)}"
    return f"unknown {what} {text!r}; {advice}"


def count(n, thing):
    """A number of things: "1 row", "2 rows"."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def missing(package):
    """The error for a package of an extra that is not installed."""
    return CommandError(f"{package} is not installed; install it with: pip install 'fastnn[all]'")


def process_seconds():
    """Seconds since this process was started, the interpreter's own start included where the system tells it."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            ticks = int(file.read().rpartition(")")[2].split()[19])      # field 22: start time since boot
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return time.perf_counter() - _loaded


def main(arguments=None):
    """Run the command with these arguments (default: the command line's). Returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")        # a terminal without a letter still shows the others
    try:
        status = _run(arguments)
        sys.stdout.flush()       # here, where a closed pipe can still be met with grace
        return status
    except CommandError as error:
        print(f"fastnn: {error}", file=sys.stderr)
        return error.status
    except MemoryError as error:
        print(f"fastnn: not enough memory: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("fastnn: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:      # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:     # such as a full disk behind the standard output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"fastnn: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        return 2


def _run(arguments):
    parser = _top_parser()
    if not arguments:
        parser.print_help()
        return 0
    if arguments[0].startswith("-"):
        parser.check_options(arguments)
        parser.parse_args(arguments)         # --help and --version end the process here
    name = arguments[0]
    if name not in COMMANDS:
        raise CommandError(unknown("command", name, list(COMMANDS)), 2)
    module = importlib.import_module(f"fastnn.cli.{name}")
    parser = _Parser(prog=f"fastnn {name}", description=module.__doc__, allow_abbrev=False,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, settings in module.OPTIONS.items():
        parser.add_argument(option, **settings)
    parser.check_options(arguments[1:])
    module.run(parser.parse_args(arguments[1:]))
    return 0


def _top_parser():
    parser = _Parser(prog="fastnn", description="Neural networks on CPUs: the names of Keras, kernels in Cython.",
                     usage="fastnn COMMAND [OPTIONS]", epilog="`fastnn COMMAND --help` shows the options of a command.",
                     formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    from fastnn._version import __version__
    parser.add_argument("--version", action="version", version=f"fastnn {__version__}")
    commands = parser.add_argument_group("commands")
    for name, text in COMMANDS.items():
        commands.add_argument(name, nargs="?", help=text)
    return parser

