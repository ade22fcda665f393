"""The local modules that come with a job: written once per content, importable during exec and call (flash-api §8.3)."""

import contextlib
import hashlib
import importlib
import json
import os
import sys
import tempfile

from .calling import Failure

_written = {}  # digest → directory


def directory_for(modules):
    digest = hashlib.sha256(json.dumps(modules, sort_keys=True).encode()).hexdigest()
    if digest not in _written:
        root = tempfile.mkdtemp(prefix="modules-", dir=os.environ.get("RUNYARD_RUNTIME_DIR"))
        for relative, source in modules.items():
            path = os.path.normpath(os.path.join(root, relative))
            if not path.startswith(root + os.sep):
                raise Failure("the module path %r leads outside its directory" % relative)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(source)
        _written[digest] = root
    return _written[digest]


def forget_other_versions(current):
    """Edited modules must not come from the cache of an earlier call."""
    others = tuple(root + os.sep for root in _written.values() if root != current)
    for name, module in list(sys.modules.items()):
        if others and (getattr(module, "__file__", None) or "").startswith(others):
            del sys.modules[name]


@contextlib.contextmanager
def importable(modules):
    if not modules:
        yield
        return
    root = directory_for(modules)
    forget_other_versions(root)
    importlib.invalidate_caches()
    sys.path.insert(0, root)
    try:
        yield
    finally:
        if root in sys.path:
            sys.path.remove(root)
