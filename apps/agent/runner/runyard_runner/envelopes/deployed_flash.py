"""A function that `flash deploy` shipped: the build has one `handler_<resource>.py` with a `handler(job)` per resource (flash-api §8.1)."""

import importlib.util
import os
import sys

from .. import advice, dependencies, deployed, flash_packages
from ..calling import Failure

# What `runpod_flash` imports, as module and as package. Every build has `runpod_flash`, but these only if its requirements.txt names runpod-flash.
NEEDED = {
    "runpod": "runpod",
    "aiohttp": "aiohttp",
    "httpx": "httpx",
    "requests": "requests",
    "pydantic": "pydantic",
    "cloudpickle": "cloudpickle",
    "dotenv": "python-dotenv",
    "rich": "rich",
}


def open_build(more=()):
    """`more`: modules that it needs besides."""
    root = deployed.attach("")
    needed = dict(NEEDED, **{module: module for module in more})
    if os.path.isdir(os.path.join(root, "runpod_flash")) and missing(needed) and not flash_packages.attach():
        install(missing(NEEDED))
    return root


def install(lacking):
    if not lacking:
        return
    print(
        "runyard: neither the build nor this worker has %s, which Flash needs; name runpod-flash in requirements.txt for a fast start"
        % ", ".join(lacking),
        flush=True,
    )
    deployed.install_before_load(lambda: dependencies.install_locked(flash_packages.LOCK, lacking[0]))


def missing(needed):
    return [package for module, package in needed.items() if not advice.is_importable(module)]


def load_handler(_loop):
    root = open_build()
    handler = deployed.load(lambda: getattr(import_module(root, deployed.resource_name()), "handler", None))
    if not callable(handler):
        raise Failure("handler_%s.py of the build defines no handler" % deployed.resource_name())
    return handler


def import_module(root, resource):
    """By its path, because the name of a resource need not be one of Python's."""
    name = "handler_" + resource
    path = os.path.join(root, name + ".py")
    if not os.path.isfile(path):
        raise Failure("the build has no %s.py: the app was deployed without the function %s" % (name, resource))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


app = deployed.Deployed(load_handler)


def call_of(request, report):
    # The handler changes its input, which was parsed for this call alone.
    return app.get(), [{"id": report.job_id, "input": request}], {}


def run(request, loop, emit, report):
    return deployed.run(call_of(request, report), loop, emit, report)


failed = deployed.failed
