"""Chooses cloudpickle: the newer of ours and the image's, because only newer versions read pickles of older ones.

Also handles names that only one version of Python writes: 3.13 calls paths `pathlib._local.PosixPath`.
"""

import importlib.machinery
import os
import pathlib
import re
import sys

VERSION = re.compile(r"""^__version__ = ["'](\d+)\.(\d+)\.(\d+)""", re.MULTILINE)


def load_cloudpickle(vendor_dir):
    elsewhere = [entry for entry in sys.path if entry != vendor_dir]
    installed = importlib.machinery.PathFinder.find_spec("cloudpickle", elsewhere)
    prefer_ours = installed is None or version_in(installed.origin) < version_in(os.path.join(vendor_dir, "cloudpickle", "__init__.py"))
    if prefer_ours:
        sys.path.insert(0, vendor_dir)
    try:
        import cloudpickle  # noqa: F401
    finally:
        if prefer_ours:
            sys.path.pop(0)


def prepare_names():
    """Makes paths portable between versions: older ones get 3.13's name as an alias, and 3.13 writes the name that all others know."""
    if sys.version_info < (3, 13):
        sys.modules.setdefault("pathlib._local", pathlib)
    elif sys.version_info < (3, 14):
        for kind in vars(pathlib).values():
            if getattr(kind, "__module__", None) == "pathlib._local":
                kind.__module__ = "pathlib"


def version_in(path):
    """(3, 1, 2), or () for a file without a version."""
    try:
        with open(path or "", encoding="utf-8") as file:
            found = VERSION.search(file.read())
    except OSError:
        return ()
    return tuple(int(part) for part in found.groups()) if found else ()
