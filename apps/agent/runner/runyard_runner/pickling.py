"""Which cloudpickle serves: the newer of ours and the image's. Newer ones read what older ones wrote, not the other way round."""

import importlib.machinery
import os
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


def version_in(path):
    """(3, 1, 2), or () for a file that does not say."""
    try:
        with open(path or "", encoding="utf-8") as file:
            found = VERSION.search(file.read())
    except OSError:
        return ()
    return tuple(int(part) for part in found.groups()) if found else ()
