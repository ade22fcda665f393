"""A function that `rp flash deploy` shipped: a handle of the SDK in the module that the manifest names (sdk2-api §5.1, §5.2)."""

import importlib

from .. import advice, dependencies, deployed, mounts
from ..calling import Failure

MANIFEST = "runpod_manifest.json"


def load_function(loop):
    root = deployed.attach("env", "")
    manifest = deployed.read_manifest(root, MANIFEST)
    resource = find_resource(manifest, deployed.resource_name())
    add_excluded(manifest.get("excludedPackages"))
    dependencies.ensure(None, resource.get("systemDependencies"))
    mounts.configure()
    handle = find_handle(deployed.load(lambda: importlib.import_module(resource["module"])), resource)
    if getattr(handle, "_init_fn", None) is not None:
        deployed.run_init(handle._init_fn, loop)
    return handle._fn


def find_resource(manifest, name):
    for resource in manifest.get("resources") or []:
        if isinstance(resource, dict) and resource.get("name") == name:
            return resource
    raise Failure("the build's %s has no resource %s" % (MANIFEST, name))


def add_excluded(packages):
    """What the build leaves to the image. A large one that is missing is not installed at each start; its import says what to do."""
    for package in packages or []:
        name = package.replace("-", "_")
        if not advice.is_importable(name):
            if name in advice.IN_FLASH_IMAGE:
                print("runyard: the build leaves %s to the worker's image, which does not have it" % package, flush=True)
            else:
                deployed.add_missing(package, "the build leaves it to the image")


def find_handle(module, resource):
    for value in list(vars(module).values()):
        if getattr(getattr(value, "spec", None), "name", None) == resource["name"] and callable(getattr(value, "_fn", None)):
            return value
    raise Failure("the module %s of the build has no function of the resource %s" % (resource["module"], resource["name"]))


app = deployed.Deployed(load_function)


def call_of(request, _report):
    function = app.get()
    if not isinstance(request, dict):
        raise Failure("the job's input is not an object with the function's arguments")
    request.pop("__empty", None)
    return function, [], request


def run(request, loop, emit, report):
    return deployed.run(call_of(request, report), loop, emit, report)


failed = deployed.failed
