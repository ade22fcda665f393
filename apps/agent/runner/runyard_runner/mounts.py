"""SDK 2's volumes in this process: the worker's runtime gives the SDK the paths before user code is imported (sdk2-api §3.7, §5.1)."""

import json
import os

from .calling import Failure


def configure():
    bindings = read(os.environ.get("RUNPOD_MOUNTS", ""))
    if not bindings:
        return
    try:
        from runpod.apps import volume
    except ImportError:
        return  # Code without SDK 2 reads no such path.
    try:
        volume._configure_mounts(bindings)
    except Exception as error:
        raise Failure("RUNPOD_MOUNTS cannot be read: %s" % error)


def read(text):
    try:
        bindings = json.loads(text or "[]")
        if not isinstance(bindings, list):
            raise ValueError("it is not a list")
        return bindings
    except ValueError as error:
        raise Failure("RUNPOD_MOUNTS cannot be read: %s" % error)
