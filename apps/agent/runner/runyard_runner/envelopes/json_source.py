"""SDK 2.0's dev envelope: the source of a whole module, arguments and results as JSON (sdk2-api §4.2, §5.2).

The output is always a list: one FunctionResponse, or one `__stream__` item per chunk of a generator. Each chunk is posted to
job-stream as it arises, the list to job-done. A failure is the only item of a COMPLETED job (sdk2-api §4.4), so readers of the stream learn of it
only by an item of their own: it is posted to job-stream, too, whatever came before it (ADR 39).
"""

import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import re
import sys
import tempfile
import types

from .. import calling, dependencies, mounts
from ..baseline import Loaded
from ..calling import Failure
from ..reply import Reply

# `from runpod import App` needs nothing of the SDK's own dependencies; nested `.remote()` calls and `runpod.Endpoint` need only these.
# The rest, some 200 MB, serves its command line and would be paid by every cold start. Versions and hashes: scripts/refresh-locks.ts.
SDK_LOCK = os.path.join(os.path.dirname(os.path.dirname(__file__)), "sdk.lock")
IMPORTS_SDK = re.compile(r"^\s*(?:import|from)\s+runpod\b", re.MULTILINE)

_modules = {}  # source → module, and what changed as it was loaded


def run(request, loop, emit, report):
    chunks = []

    def chunk(value):
        item = '{"success": true, "__stream__": true, "json_result": %s}' % calling.to_json_text(value)
        chunks.append(item)
        emit(b'{"output": %s}' % item.encode())

    value = invoke(request, loop, report, chunk, as_they_came)
    if value is STREAMED:
        # The captured output has no place in a list of chunks; it is in the worker's log.
        return Reply('{"output": [%s]}' % ", ".join(chunks), "", is_stream=True)
    return single('{"success": true, "json_result": %s' % calling.to_json_text(value))


def failed(failure, emit):
    item = {"success": False, "error": failure.text}
    emit(json.dumps({"output": item}).encode())
    return single(json.dumps(item)[:-1], failure.fresh)


def single(open_item, fresh=False):
    """`open_item`: JSON text of an object without its closing brace; the captured output becomes its last member."""
    return Reply('{"output":[' + open_item + ', "stdout":', "}]}", is_stream=True, fresh=fresh)


STREAMED = object()


def execute(request, loop, report, chunk):
    value = invoke(request, loop, report, chunk, as_they_came)
    return STREAMED if value is STREAMED else calling.to_json(value)


def as_they_came(request):
    return request.get("args") or [], request.get("kwargs") or {}


def invoke(request, loop, report, chunk, arguments):
    """The value of the function, or STREAMED. `arguments` reads them once the dependencies are there."""
    if not isinstance(request, dict) or not isinstance(request.get("function_name"), str):
        raise Failure("the job's input is not a function call: it needs function_name and function_code")
    name, source = request["function_name"], request.get("function_code")
    if not isinstance(source, str):
        raise Failure("the job's input has no function_code, and this worker holds no deployed code")
    dependencies.ensure(request.get("dependencies"), request.get("system_dependencies"))
    function = resolve(load(source), name)
    value = calling.call(function, *arguments(request), loop, report)
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        calling.drain(value, loop, chunk, report)
        return STREAMED
    return value


def load(source):
    """Executes the source once per content, as a module whose name is not __main__."""
    known = _modules.get(source)
    if known is not None:
        module, loaded = known
        loaded.again()
        return module
    if IMPORTS_SDK.search(source):
        ensure_sdk()
        mounts.configure()
    name = "runyard_source_" + hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    directory = tempfile.mkdtemp(prefix="source-", dir=os.environ.get("RUNYARD_RUNTIME_DIR"))
    path = os.path.join(directory, name + ".py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    module = types.ModuleType(name)
    module.__file__ = path
    compiled = calling.compile_source(source, path)
    sys.modules[name] = module
    loaded = Loaded()
    try:
        calling.guard(exec, compiled, module.__dict__)
    except Failure:
        del sys.modules[name]
        raise
    loaded.done()
    _modules[source] = module, loaded
    return module


def ensure_sdk():
    """A source that declares its functions with the SDK needs the SDK; an image without 2.0 gets it once, in a second or two."""
    if has_sdk():
        return
    dependencies.install_locked(SDK_LOCK, "runpod")
    for name in [name for name in sys.modules if name == "runpod" or name.startswith("runpod.")]:
        del sys.modules[name]
    if not has_sdk():
        raise Failure("the source imports runpod 2.0, which could not be made importable in this worker")


def has_sdk():
    spec = importlib.util.find_spec("runpod")
    places = list(spec.submodule_search_locations or []) if spec else []
    return any(os.path.isdir(os.path.join(place, "apps")) for place in places)


def resolve(module, name):
    handle = getattr(module, name, None)
    if handle is None:
        raise Failure("%r is not defined in the source that came with the job" % name)
    function = getattr(handle, "_fn", None) or getattr(handle, "__wrapped__", None) or handle
    if not callable(function):
        raise Failure("%r is a %s, not a function" % (name, type(function).__name__))
    return function
