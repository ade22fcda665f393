"""Serves the HTTP of a load-balanced endpoint on $PORT (production §4.2.5, flash-api §6, sdk2-api §5.3): a deployed app, or live code that clients send.

A load that fails ends nothing: every request gets status 500 and the text, so callers see it at once (sdk2-api §5.1).
"""

import importlib.util
import os
import sys
import threading

from . import asgi, calling, dependencies, deployed, mounts, pickling, plane_name
from .calling import Failure
from .installers import attach_installed

SERVER_LOCK = os.path.join(os.path.dirname(__file__), "server.lock")
NEEDED = {"uvicorn": "uvicorn", "fastapi": "fastapi", "python-multipart": "python_multipart", "websockets": "websockets"}
# As Runpod's own runtime (sdk2-api §5.3).
KEEP_ALIVE_S = 600


def end_with_agent():
    """The agent holds the other end of stdin: this process ends with it, however it ends."""
    sys.stdin.buffer.read()
    os._exit(0)


def main(vendor_dir):
    threading.Thread(target=end_with_agent, daemon=True).start()
    attach_installed()
    plane_name.resolve()
    pickling.load_cloudpickle(vendor_dir)
    try:
        application = load_application(os.environ.get("RUNYARD_ENVELOPE", ""))
        ensure_server()
    except Failure as failure:
        raise SystemExit(failure.text)
    import uvicorn

    port = int(os.environ["PORT"])
    # Reached through the agent alone (ADR 69). Node's own WebSocket cannot read what this server compresses.
    quiet = {"access_log": False, "log_level": "warning", "proxy_headers": False, "ws_per_message_deflate": False}
    uvicorn.run(application, host="127.0.0.1", port=port, loop=plane_name.event_loop(), timeout_keep_alive=KEEP_ALIVE_S, **quiet)


def ensure_server():
    """An app that serves HTTP mostly brings uvicorn; otherwise it is installed, in a second or two."""
    for package, module in NEEDED.items():
        if importlib.util.find_spec(module) is None:
            try:
                dependencies.install_locked(SERVER_LOCK, package, also_older=True)
            except dependencies.NeedsFresh:
                pass  # Nothing of it is loaded here.


def load_application(envelope):
    if envelope == "deployed-flash":
        return guarded(load_deployed_flash)
    if envelope == "deployed-sdk2":
        return guarded(load_deployed_sdk2)
    if envelope == "task":
        from . import task

        return task.Task(os.environ.get("RUNPOD_TASK_TOKEN"))
    from . import live

    ensure_server()
    return live.LiveSdk2() if envelope == "json" else live.LiveFlash()


def guarded(load):
    try:
        return load()
    except Failure as failure:
        print("runyard: the app could not be loaded, so each request gets an error: %s" % failure.text, flush=True)
        return asgi.Broken(deployed.bootstrap_failure(failure).text)


def load_deployed_flash():
    from .envelopes import deployed_flash

    root = deployed_flash.open_build(NEEDED.values())
    # Before the app is loaded, which may import it, and after the build is on the path, which may have it.
    ensure_server()
    name = deployed.resource_name()
    application = deployed.load(lambda: getattr(deployed_flash.import_module(root, name), "app", None))
    if application is None:
        raise Failure("handler_%s.py of the build defines no app" % name)
    return asgi.with_ping(application)


def load_deployed_sdk2():
    from .envelopes import deployed_sdk2

    root = deployed.attach("env", "")
    ensure_server()
    manifest = deployed.read_manifest(root, deployed_sdk2.MANIFEST)
    resource = deployed_sdk2.find_resource(manifest, deployed.resource_name())
    deployed_sdk2.add_excluded(manifest.get("excludedPackages"))
    dependencies.ensure(None, resource.get("systemDependencies"))
    mounts.configure()
    module = deployed.load(lambda: importlib.import_module(resource["module"]))
    return asgi.with_ping(application_of(find_api(module, resource["name"])))


def find_api(module, name):
    for value in list(vars(module).values()):
        if getattr(getattr(value, "spec", None), "name", None) == name and hasattr(value, "_asgi_factory"):
            return value
    raise Failure("the module %s has no api named %s" % (module.__name__, name))


def application_of(handle):
    """A class with marked methods, or a function that returns an ASGI app (sdk2-api §5.3)."""
    if handle._asgi_factory is not None:
        return calling.guard(handle._asgi_factory)
    instance = calling.guard(handle._cls)
    init = getattr(instance, handle._init_name) if handle._init_name else None
    routes = {(route.method.upper(), route.path): getattr(instance, route.handler_name) for route in handle.spec.routes}
    return asgi.Methods(routes, init)
