"""Chooses cloudpickle: the newer of ours and the image's, because only newer versions read pickles of older ones.

Also handles what differs between versions of Python: 3.13 calls paths `pathlib._local.PosixPath`, and functions in a pickle are bytecode.
"""

import importlib.machinery
import os
import pathlib
import pickletools
import re
import sys

# Since 3.11 a function runs `RESUME 0` before any code of its own; only what its cells and generators need comes earlier. The numbers of these
# instructions are those of the version: RESUME → version, what may come earlier.
RESUMES = {151: ("3.11 or 3.12", (149, 135, 75, 1)), 149: ("3.13", (62, 94, 35, 32))}
RETURN_OF_3_10 = 83

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


def writer_of(pickled):
    """The Python that wrote the functions in a pickle, e.g. "3.13", without executing it; "" if it holds none, or those of an unknown version."""
    is_near = False
    try:
        for _, value, _ in pickletools.genops(pickled):
            if is_near and isinstance(value, bytes):
                return version_of(value)
            # cloudpickle names the type before the arguments, of which the bytecode is the first bytes.
            is_near = is_near or value == "CodeType"
    except Exception:
        pass  # decoding it for real says what is wrong
    return ""


def version_of(bytecode):
    for at in range(0, len(bytecode) - 1, 2):
        found = [version for resume, (version, _) in RESUMES.items() if bytecode[at] == resume and bytecode[at + 1] == 0]
        if found:
            return found[0]
        if not any(bytecode[at] in earlier for _, earlier in RESUMES.values()):
            break
    return "3.10" if bytecode[-2:-1] == bytes([RETURN_OF_3_10]) else ""


def writes_like_us(version):
    return version == version_of(writer_of.__code__.co_code)
