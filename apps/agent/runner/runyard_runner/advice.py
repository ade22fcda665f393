"""Advice for the caller about a failed import or value, as one sentence. It depends on the top-level module in the error.

Three causes look alike and have different remedies: another version of Python (standard library), another version of a package that
is installed, and a package that is not installed. A pickle does not name the Python that wrote it: its functions do, and the client that saved the
endpoint has named its own.
"""

import importlib.util
import os
import re
import sys

from . import distributions, pickling

PYTHON = sys.version.split()[0]
# What Flash's GPU image has (runpod_flash, SIZE_PROHIBITIVE_PACKAGES); its programs import these without naming them.
IN_FLASH_IMAGE = ("torch", "torchvision", "torchaudio", "triton")
# The standard library of another version than ours: names that this Python cannot list.
ELSEWHERE = frozenset(
    "aifc annotationlib asynchat asyncore audioop binhex cgi cgitb chunk compression crypt distutils formatter imghdr imp lib2to3 mailcap "
    "msilib nis nntplib ossaudiodev parser pipes smtpd sndhdr spwd sunau symbol telnetlib tomllib uu xdrlib".split()
)
STANDARD = ELSEWHERE.union(getattr(sys, "stdlib_module_names", sys.builtin_module_names), ("pathlib", "collections", "datetime"))
MISSING_ATTRIBUTE = re.compile(r"Can't get attribute .+ on <module '([\w.]+)'|module '([\w.]+)' has no attribute")
MISSING_LIBRARY = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")


def for_raised(error):
    """The text to append to an ImportError of user code; "" for any other error."""
    if not isinstance(error, ImportError):
        return ""
    library = MISSING_LIBRARY.search(str(error))
    if library:
        return "; name the Debian package that has %s in system_dependencies, or use an image that has it" % library[1]
    top = (getattr(error, "name", None) or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or not top or is_importable(top):
        return ""
    if top in IN_FLASH_IMAGE:
        return (
            "; Runpod's own GPU image has %s, the image of this worker does not: name it in the function's dependencies, or let the "
            "operator's defaultImages name an image that has it (docker/worker-gpu.Dockerfile)" % top
        )
    if top in STANDARD:
        return "; this worker runs Python %s, whose standard library has no %s%s" % (PYTHON, top, saver())
    return "; name its package in the function's dependencies"


def saver():
    """The end of a sentence about versions, if the client that saved the endpoint has another minor version; "" otherwise."""
    version = os.environ.get("RUNYARD_CLIENT_PYTHON", "")
    is_other = version and version.split(".")[:2] != PYTHON.split(".")[:2]
    return "; the endpoint was saved by a client with Python %s" % version if is_other else ""


def for_code(pickled):
    """What caller and worker need if a value holds functions, which may crash the interpreter of another version."""
    writer = pickling.writer_of(pickled)
    whose = " of Python %s" % writer if writer and not pickling.writes_like_us(writer) else ""
    return "its arguments hold functions or classes%s; this worker runs Python %s, and both sides need the same minor version%s" % (whose, PYTHON, saver())


def for_value(which, error, pickled=b""):
    """The whole sentence about an argument that could not be decoded."""
    why = "%s: %s" % (type(error).__name__, error)
    top = missing_module(error).partition(".")[0]
    writer = pickling.writer_of(pickled)
    is_other = bool(writer) and not pickling.writes_like_us(writer)
    if top in STANDARD or (is_other and not top):
        return "%s was made by %s and cannot be decoded by this worker, which runs Python %s (%s)%s; use the same version on both sides" % (
            which,
            "Python %s" % writer if is_other else "another version of Python",
            PYTHON,
            why,
            saver(),
        )
    if top and top != "__main__" and is_importable(top):
        return (
            "%s was made with another version of %s than the %s of this worker and cannot be decoded here (%s); name the caller's version "
            "of it in dependencies" % (which, top, installed_version(top), why)
        )
    if isinstance(error, ModuleNotFoundError):
        return (
            "%s cannot be decoded here: %s; name its package in dependencies, or import it in the function where it is a file of your own"
            % (which, error)
        )
    return (
        "%s cannot be decoded here: %s. This worker runs Python %s with cloudpickle %s; functions and classes as values need the same "
        "minor version of Python on both sides, library objects a compatible version of the library%s"
        % (which, why, PYTHON, installed_version("cloudpickle"), saver())
    )


def missing_module(error):
    """The module that was not found, or that lacks a name; "" for other errors."""
    if isinstance(error, ModuleNotFoundError):
        return error.name or ""
    found = MISSING_ATTRIBUTE.search(str(error)) if isinstance(error, (AttributeError, ImportError)) else None
    return (found[1] or found[2]) if found else ""


def is_importable(top):
    try:
        return top in sys.modules or importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def installed_version(top):
    version = getattr(sys.modules.get(top), "__version__", None)
    if isinstance(version, str):
        return version
    return distributions.version(top) or "version"
