"""Show the version, compiler, instruction sets and threads in use: what a bug report should hold."""
import fastnn

OPTIONS: dict[str, dict] = {}


def run(options):
    """Print the configuration."""
    fastnn.show_config()
