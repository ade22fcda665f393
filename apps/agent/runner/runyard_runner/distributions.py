"""What is known of installed packages. `importlib.metadata` is imported when it is needed: it takes a fifth of the time of Python's start,
and most workers never install anything.
"""


def version(name):
    """None: the package is not installed."""
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def files(name):
    """Paths of the package's files, empty if it lists none. None: the package is not installed."""
    from importlib import metadata

    try:
        return metadata.distribution(name).files or []
    except metadata.PackageNotFoundError:
        return None
