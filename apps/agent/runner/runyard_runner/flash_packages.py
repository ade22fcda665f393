"""What Flash's code in a build imports, for builds that do not bring it: a directory on sys.path after the build, so that it hides nothing of it (ADR 76).

It comes before the packages of the image, some of which may be older than these need.
The default worker image has it. On the process host the first worker that needs it fills it, in the cache of this user, for this Python and this
lock; all later ones find it. Another image may have none: then each worker installs what it lacks.
"""

import fcntl
import hashlib
import importlib
import os
import shutil
import site
import sys

from . import installers

LOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flash.lock")
# docker/worker.Dockerfile.
IN_IMAGE = "/usr/local/lib/runyard-flash/python%d.%d" % sys.version_info[:2]


def attach():
    """False where this worker has no place for it. Raises Failure if the packages cannot be installed there."""
    directory = IN_IMAGE if os.path.isdir(IN_IMAGE) else prepared()
    if directory is None:
        return False
    if directory not in sys.path:
        images = {*site.getsitepackages(), site.getusersitepackages()}
        at = next((at for at, entry in enumerate(sys.path) if entry in images), len(sys.path))
        sys.path.insert(at, directory)
        importlib.invalidate_caches()
    return True


def prepared():
    if not os.environ.get("RUNYARD_SCRATCH_DIR"):
        return None
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "runyard")
    with open(LOCK, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:12]
    directory = os.path.join(cache, "flash-%s-%s" % (sys.implementation.cache_tag, digest))
    if not os.path.isdir(directory):
        os.makedirs(cache, mode=0o700, exist_ok=True)
        with open(directory + ".lock", "w") as lock:
            # Workers that start together wait for the first one.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.isdir(directory):
                fill(directory)
    return directory


def fill(directory):
    print("runyard: installing what Flash imports, once for this machine and Python", flush=True)
    part = directory + ".part"
    # A worker that was killed may have left some.
    shutil.rmtree(part, ignore_errors=True)
    installers.install_into(part, LOCK, "installing what Flash imports")
    os.rename(part, directory)
