"""The code of a deployed app: an unpacked build, loaded once per process and before its first job (ADR 65, flash-api §8.1, sdk2-api §5.1).

What the build's modules set up while they are imported (variables, logging, the working directory) is the state with which each job begins,
because the child reads its baseline after the load. A failed load does not end the worker: each job fails with its text.
"""

import importlib
import inspect
import json
import os
import sys
import traceback

from . import advice, calling, dependencies
from .calling import Failure
from .reply import Reply

# As Runpod's worker does.
MOST_MISSING = 3
# Its pings name all jobs of a worker in one URL.
MOST_SLOTS = 100


def app_directory():
    directory = os.environ.get("RUNPOD_PREBUILT_APP_DIR") or "/app"
    if not os.path.isdir(directory):
        raise Failure("this worker has no unpacked build: %s is not a directory" % directory)
    return directory


def resource_name():
    name = os.environ.get("FLASH_RESOURCE_NAME") or os.environ.get("RUNPOD_RESOURCE_NAME")
    if not name:
        raise Failure("FLASH_RESOURCE_NAME does not name the function of the app that this worker serves")
    return name


def attach(*parts):
    """These directories of the build come first on sys.path; its root is the working directory. Returns the root."""
    root = app_directory()
    os.chdir(root)
    # The build is shared by the workers of its host, and read-only.
    sys.dont_write_bytecode = True
    ours = [os.path.join(root, part) if part else root for part in parts]
    sys.path[:] = ours + [entry for entry in sys.path if entry not in ("", root)]
    for name in list(sys.modules):
        # What the runner imported for itself: the build's own version counts for the build's code.
        top = name.partition(".")[0]
        if top in ("cloudpickle", "runpod") and any(os.path.isdir(os.path.join(directory, top)) for directory in ours):
            del sys.modules[name]
    importlib.invalidate_caches()
    return root


def read_manifest(root, filename):
    path = os.path.join(root, filename)
    try:
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
    except (OSError, ValueError) as error:
        raise Failure("the build's %s cannot be read: %s" % (filename, error))
    if not isinstance(manifest, dict):
        raise Failure("the build's %s is not a JSON object" % filename)
    return manifest


def load(step):
    """Runs `step`, which imports the app. Raises Failure with one clear text."""
    return calling.guard(load_with_missing, step)


def load_with_missing(step):
    installed = []
    while True:
        try:
            return step()
        except ModuleNotFoundError as error:
            top = (error.name or "").partition(".")[0]
            if not is_installable(top) or top in installed or len(installed) == MOST_MISSING:
                raise
            installed.append(top)
            add_missing(top, "module %d of at most %d" % (len(installed), MOST_MISSING))


def is_installable(top):
    return bool(top) and top not in advice.STANDARD and top not in advice.IN_FLASH_IMAGE and not advice.is_importable(top)


def add_missing(package, which):
    print("runyard: the build has no module %s; installing it (%s); name it in the app's dependencies for a fast start" % (package, which), flush=True)
    install_before_load(lambda: dependencies.install([package]))


def install_before_load(install):
    try:
        install()
    except dependencies.NeedsFresh:
        pass  # Nothing of the app has used the version that was replaced.
    importlib.invalidate_caches()


def run_init(function, loop):
    calling.guard(calling.call_and_await, function, (), {}, loop)


def run(call, loop, emit, report):
    """Returns the body of job-done as Runpod's worker makes it (worker-api §5.1). `call`: a function, its arguments, its keyword arguments."""
    value = calling.call(*call, loop, report)
    if not is_generator(value):
        return plain_reply(value)
    chunks = Chunks()
    try:
        calling.drain(value, loop, lambda item: emit(chunks.add(item)), report)
    except Failure as failure:
        return chunks.failed(failure)
    return chunks.reply()


async def run_in_loop(call, emit, report):
    """As `run`, in a task of the running event loop. `emit` is awaited."""
    value = await calling.call_in_loop(*call, report)
    if not is_generator(value):
        return plain_reply(value)
    chunks = Chunks()

    async def chunk(item):
        await emit(chunks.add(item))

    try:
        await calling.drain_in_loop(value, chunk, report)
    except Failure as failure:
        return chunks.failed(failure)
    return chunks.reply()


def is_generator(value):
    return inspect.isgenerator(value) or inspect.isasyncgen(value)


def plain_reply(value):
    fields = {}
    if isinstance(value, dict):
        value = dict(value)
        error, refresh = value.pop("error", None), value.pop("refresh_worker", None)
        if error:
            fields["error"] = error
        if refresh:
            fields["stopPod"] = True
    return Reply(calling.guard(as_text, dict(fields, output=value)), "")


class Broken(Exception):
    """The generator has yielded an error."""


class Chunks:
    """What a generator has yielded."""

    def __init__(self):
        self.texts = []

    def add(self, value):
        """Returns the body of job-stream."""
        if isinstance(value, dict) and value.get("error"):
            raise Broken(str(value["error"]))
        text = calling.guard(as_text, value)
        self.texts.append(text)
        return b'{"output":' + text.encode() + b"}"

    def reply(self):
        return Reply('{"output":[' + ",".join(self.texts) + "]}", "", is_stream=True)

    def failed(self, failure):
        if isinstance(failure.cause, Broken):
            return Reply(json.dumps({"error": str(failure.cause)}), "", is_stream=True)
        raise failure


def as_text(value):
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure("the function returned what JSON cannot carry: %s" % error)


def failed(failure, _emit):
    return Reply(json.dumps({"error": error_text(failure)}), "", fresh=failure.fresh)


def error_text(failure):
    """An exception of the app as Runpod's worker reports it: one JSON text (worker-api §7). Any other failure is plain text."""
    error = failure.cause
    if error is None:
        return failure.text
    return json.dumps(
        {
            "error_type": str(type(error)),
            "error_message": calling.text_of(error) + advice.for_raised(error),
            "error_traceback": calling.user_traceback(error),
            "hostname": os.environ.get("RUNPOD_POD_HOSTNAME", "unknown"),
            "worker_id": os.environ.get("RUNPOD_POD_ID", "unknown"),
            "runpod_version": advice.installed_version("runpod"),
        }
    )


class Deployed:
    """One deployed function: `load()` returns it; a failed load is kept and fails each job."""

    def __init__(self, load_function):
        self.load_function = load_function
        self.function = None
        self.failure = Failure("the app was not loaded")
        # How many jobs run at a time.
        self.slots = 1

    def load(self, loop):
        try:
            self.function, self.failure = self.load_function(loop), None
            self.slots = slots_for(self.function)
        except Failure as failure:
            self.failure = bootstrap_failure(failure)
            print("runyard: the app could not be loaded, so each job of this worker fails: %s" % failure.text, flush=True)
        except BaseException as error:
            self.failure = bootstrap_failure(Failure("%s: %s" % (type(error).__name__, calling.text_of(error))))
            traceback.print_exc()

    def get(self):
        if self.failure is not None:
            raise Failure(self.failure.text)
        return self.function


def slots_for(function):
    """Jobs at a time: `max_concurrency`, if the function is async. One that is not would block the others (ADR 75)."""
    text = os.environ.get("RUNPOD_MAX_CONCURRENCY", "").strip()
    wanted = int(text) if text.isdecimal() else 1
    if wanted <= 1:
        return 1
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        print("runyard: max_concurrency=%d has no effect: the function is not async, so this worker runs one job at a time" % wanted, flush=True)
        return 1
    if wanted > MOST_SLOTS:
        print("runyard: max_concurrency=%d: this worker runs %d jobs at a time, which is the most" % (wanted, MOST_SLOTS), flush=True)
    return min(wanted, MOST_SLOTS)


def bootstrap_failure(failure):
    """What Runpod's runtime reports (sdk2-api §5.1)."""
    message = "worker bootstrap failed during 'load': %s" % failure.text
    return Failure(json.dumps({"error_type": "BootstrapError", "error_message": message}))
