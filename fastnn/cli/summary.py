"""Show what is in a model file: layers, parameters, of a model for tables its columns, for text its vocabulary."""
from .predict import load

OPTIONS = {"model": {"metavar": "MODEL", "help": "model file, or the folder it is in"}}


def run(options):
    """Print the table of layers and what the notes say."""
    model = load(options.model)
    model.summary()
    notes = model.notes
    if isinstance(notes.get("text"), dict):
        from .text import from_notes as vocabulary_of
        print(f"Vocabulary: {vocabulary_of(model, options.model)}")
    if not isinstance(notes.get("inputs"), list):
        return
    from .columns import from_notes
    inputs, target, labels = from_notes(model, options.model)
    print(f"Target: {target}" + (f", one of {', '.join(labels)}" if labels else ", a number"))
    print("Columns: " + ", ".join(name + _categories(known) for name, known in inputs.categories.items()))


def _categories(known):
    if known is None:
        return ""
    return " (1 category)" if len(known) == 1 else f" ({len(known)} categories)"
