"""Flash's envelope: source as text, values as base64 of cloudpickle, output a FunctionResponse (flash-api §5.6, §5.7, §8).

Instances live as long as this process, keyed by instance_id; a call on an unknown id creates the instance (flash-api §8.3).
"""

import base64
import datetime
import inspect
import json
import sys
import types

import cloudpickle

from .. import advice, calling, dependencies, sources
from ..baseline import Loaded
from ..calling import Failure
from ..reply import Reply

STUB_MARKS = ("import aiohttp", "from aiohttp")

# Larger values are data, which is not worth the search for code.
CODE_SEARCH_BYTES = 1_000_000

_instances = {}  # instance_id → Instance


class Instance:
    def __init__(self, code, value, loaded):
        self.code = code
        self.value = value
        self.loaded = loaded
        # What pickle, dataclasses and typing look its class up in.
        self.module = sys.modules["__main__"]
        self.created_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
        self.calls = 0


def run(request, loop, emit, report):
    extra = {}
    value = execute(request, loop, report, extra)
    return Reply(*around_stdout(dict(encode_result(value, request), success=True, **extra)))


def failed(failure, _emit):
    """The error stands in the output and beside it: clients read either (flash-api §5.7)."""
    before, after = around_stdout({"success": False, "error": failure.text})
    return Reply(before, after[:-1] + ',"error":' + json.dumps(failure.text) + "}", fresh=failure.fresh)


def around_stdout(fields):
    return '{"output":' + json.dumps(fields)[:-1] + ', "stdout":', "}}"


def execute(request, loop, report, extra):
    if not isinstance(request, dict) or request.get("execution_type", "function") not in ("function", "class"):
        raise Failure("the job's input is not a Flash call: it needs execution_type, function_name and function_code")
    kind = request.get("execution_type", "function")
    name, code = request.get(kind + "_name"), request.get(kind + "_code")
    if not isinstance(name, str) or not isinstance(code, str):
        raise Failure("the job's input has no %s_name or no %s_code, and this worker holds no deployed code" % (kind, kind))
    packages = request.get("dependencies")
    if any(mark in code for mark in STUB_MARKS):
        # The stub of a stacked call is prepended to the source and imports aiohttp when it calls (flash-api §5.6).
        packages = [*(packages or []), "aiohttp"]
    dependencies.ensure(packages, request.get("system_dependencies"))
    with sources.importable(request.get("modules")):
        if kind == "class":
            return call_method(request, (name, code), loop, report, extra)
        function = define(name, code)
        return calling.call(function, *decode_call(request, "", report), loop, report)


def define(name, code):
    # cloudpickle carries classes and functions of __main__ by value, so that a result of a local class reaches the client; and a
    # __main__ without a file keeps `multiprocessing` from importing our own entry point.
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    compiled = calling.compile_source(code, "<flash:%s>" % name)
    calling.guard(exec, compiled, module.__dict__)
    if not hasattr(module, name):
        raise Failure("%r is not defined in the source that came with the job" % name)
    return getattr(module, name)


def call_method(request, named, loop, report, extra):
    name, code = named
    instance_id = request.get("instance_id")
    instance = _instances.get(instance_id)
    if instance is None or instance.code != code or (request.get("create_new_instance") and instance_id is None):
        loaded = Loaded()
        constructor = define(name, code)
        args, kwargs = decode_call(request, "constructor_", report)
        instance = Instance(code, calling.guard(lambda: constructor(*args, **kwargs)), loaded)
        loaded.done()
        if instance_id is not None:
            _instances[instance_id] = instance
    else:
        instance.loaded.again()
    sys.modules["__main__"] = instance.module
    method_name = request.get("method_name", "__call__")
    method = getattr(instance.value, method_name, None)
    if not callable(method):
        raise Failure("%s has no method %r" % (name, method_name))
    instance.calls += 1
    if instance_id is not None:
        extra["instance_id"] = instance_id
    extra["instance_info"] = {"class_name": name, "created_at": instance.created_at, "method_calls": instance.calls}
    return calling.call(method, *decode_call(request, "", report), loop, report)


def decode_call(request, prefix, report):
    as_json = request.get("serialization_format") == "json"
    given_args, given_kwargs = request.get(prefix + "args") or [], request.get(prefix + "kwargs") or {}
    code = None if as_json else next((value for value in (*given_args, *given_kwargs.values()) if holds_code(value)), None)
    if code is not None:
        # Code of another minor version may decode and then crash the interpreter.
        report.hint(advice.for_code(base64.b64decode(code)))
    args = [decode(value, as_json, "argument %d" % (at + 1)) for at, value in enumerate(given_args)]
    kwargs = {key: decode(value, as_json, "argument %r" % key) for key, value in given_kwargs.items()}
    return args, kwargs


def holds_code(value):
    """True for a pickle that carries bytecode."""
    try:
        return isinstance(value, str) and len(value) < CODE_SEARCH_BYTES and b"CodeType" in base64.b64decode(value)
    except ValueError:
        return False  # decoding it for real says what is wrong


def decode(value, as_json, which):
    if as_json:
        return value
    pickled = b""
    try:
        pickled = base64.b64decode(value)
        return cloudpickle.loads(pickled)
    except MemoryError:
        raise
    except BaseException as error:
        raise Failure(advice.for_value(which, error, pickled))


def encode_result(value, request):
    if request.get("serialization_format") == "json":
        return {"json_result": calling.to_json(value)}
    try:
        pickled = cloudpickle.dumps(value)
    except MemoryError:
        raise
    except BaseException as error:
        what, why = type(value).__name__, calling.text_of(error)
        hint = "; return a list of its values" if inspect.isgenerator(value) or inspect.isasyncgen(value) else ""
        raise Failure("the function returned a value of type %r that cannot be pickled: %s: %s%s" % (what, type(error).__name__, why, hint))
    if len(pickled) < CODE_SEARCH_BYTES and b"CodeType" in pickled:
        # Its caller may run another minor version, and then crash without a word while it reads this.
        print("[the result holds functions or classes: reading it needs Python %d.%d]" % sys.version_info[:2])
    return {"result": base64.b64encode(pickled).decode("ascii")}
