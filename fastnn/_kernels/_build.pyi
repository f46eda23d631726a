COMPILER: str
FLAGS: str
LEVELS: tuple[str, ...]
