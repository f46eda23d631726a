"""What is refused on purpose."""


def get_file(fname=None, origin=None, *arguments, **settings):
    """Always raises NotImplementedError: fastnn opens no connection. Use ``urllib.request.urlretrieve``."""
    raise NotImplementedError(f"get_file: fastnn downloads nothing, got origin {origin!r:.120}; fetch the file with "
                              "urllib.request.urlretrieve(origin, filename), and check it, before you read it")
