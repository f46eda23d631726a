"""The folder for what a command makes: checked before the work begins, written to when all went well.

A model that is there already stays, by another name: it may have taken hours to learn.
"""
import contextlib
import io
import itertools
import os

from . import CommandError, missing

MODEL = "model.fastnn"
PICTURES = ("learning-curves.png", "confusion-matrix.png", "filters.png", "feature-maps.png")     # of a training
PROGRAM = "fastnn"               # what pictures name as the program that drew them


def check_folder(folder, files=()):
    """Raise CommandError unless files can be written there, the folder made first where it is missing.

    files: names of those that will be written; what has such a name already must be a file that may be replaced.
    """
    parent = os.path.abspath(folder)
    while not os.path.exists(parent) and parent != os.path.dirname(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent) or not os.access(parent, os.W_OK | os.X_OK) or not _may_hold_files(parent):
        reason = "is not writable" if os.path.isdir(parent) else "is no folder"
        raise CommandError(f"--out {folder!r}: {parent!r} {reason}", 2)
    for path in (os.path.join(folder, name) for name in files):
        if os.path.exists(path) and not (os.path.isfile(path) and os.access(path, os.W_OK)):
            reason = ("is a folder" if os.path.isdir(path) else
                      "is not writable" if os.path.isfile(path) else "is no regular file")
            raise CommandError(f"--out {folder!r}: {path!r} {reason}; choose another --out", 2)


def _may_hold_files(folder):
    """Whether a file can be made there: root may write everywhere, and yet not into /proc."""
    import tempfile
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def tell_of_model(folder):
    """Say, before a training begins, what becomes of a model that is in its folder already."""
    path = os.path.join(folder, MODEL)
    if os.path.lexists(path):
        print(f"{path} is there already: it becomes {_free(path)} when the new model is saved")


def save_model(model, folder):
    """Write the model into the folder, keep the one that is there by another name, and say where both are."""
    path = os.path.join(folder, MODEL)
    try:
        with _made(folder), _kept(path) as other:
            model.save(path)
    except OSError as error:
        raise CommandError(f"cannot write {path!r}: {error.strerror or error}", 2) from None
    print(f"Model: {path}" + (f"; the one before: {other}" if other else ""))


def save_pictures(folder, drawings, replaced=()):
    """Write pictures as PNG where matplotlib is installed, and say where, or why not.

    drawings: dictionary of file name to function that draws on the Figure it is given.
    replaced: names of pictures that an earlier run may have drawn: removed, if they are none of these.
    """
    try:
        from matplotlib.figure import Figure  # not pyplot: no display, no global state
    except ImportError:
        print(f"No pictures: {missing('matplotlib')}")
        return
    from fastnn.saving import atomic
    pictures = {os.path.join(folder, name): _picture(Figure(figsize=(7, 4.5), layout="constrained"), draw)
                for name, draw in drawings.items()}
    try:
        with _made(folder):
            for path in (os.path.join(folder, name) for name in replaced):
                if path not in pictures and _drawn_by_us(path):
                    os.unlink(path)
            for path, data in pictures.items():
                atomic.write(path, data)
    except OSError as error:
        raise CommandError(f"cannot write pictures to {folder!r}: {error.strerror or error}", 2) from None
    print(f"Pictures: {', '.join(pictures)}")


def _picture(figure, draw):
    """A drawing as PNG."""
    draw(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100, metadata={"Software": PROGRAM})
    return file.getvalue()


def _drawn_by_us(path):
    """Whether a picture names fastnn as the program that drew it: nobody else's is removed."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return b"Software\0" + PROGRAM.encode() in file.read(1000)


def _names(path):
    """path-1, path-2, ..."""
    stem, ending = os.path.splitext(path)
    return (f"{stem}-{n}{ending}" for n in itertools.count(1))


def _free(path):
    """The first of them that is no file."""
    return next(name for name in _names(path) if not os.path.lexists(name))


def _second_name(path):
    """Give a file a second name, the first that is free; None where that cannot be. A link is never made over a file,
    so that two trainings that end at once keep both models; and the file keeps its own name until it is replaced."""
    if os.path.islink(path):                    # the new model is written where it leads
        return None
    for name in _names(path):
        try:
            os.link(path, name)
        except FileExistsError:
            continue
        except OSError:                         # a file system without links
            return None
        return name


@contextlib.contextmanager
def _kept(path):
    """While a new file takes its name, a file has another, which is given; if that fails it has its own again."""
    if not os.path.lexists(path):
        yield None
        return
    other = _second_name(path)
    linked = other is not None
    if not linked:
        other = _free(path)
        os.rename(path, other)
    try:
        yield other
    except BaseException:
        if linked:
            os.unlink(other)
        else:
            os.rename(other, path)
        raise


@contextlib.contextmanager
def _made(folder):
    """The folder is made where it is missing, and taken away again if what follows fails and leaves it empty."""
    new, path = [], os.path.abspath(folder)
    while not os.path.exists(path):
        new.append(path)
        path = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            for path in new:
                os.rmdir(path)
        raise
