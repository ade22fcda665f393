"""Calls user code and turns every outcome into a value or a Failure with one clear text. Independent of the wire format."""

import asyncio
import functools
import inspect
import json
import linecache
import os
import time
import traceback

from . import advice, memory

# The frames between the agent and the user's function: this package, and the event loop that runs a coroutine for it.
OUR_DIRS = (os.path.dirname(os.path.abspath(__file__)), os.path.dirname(asyncio.__file__))


# `dumps` with this setting makes an encoder per call.
strict_json = json.JSONEncoder(allow_nan=False).encode


class Failure(Exception):
    """The job failed; `text` is what the caller reads. `fresh`: the process must not run another job. `cause`: what user code raised."""

    def __init__(self, text, fresh=False, cause=None):
        super().__init__(text)
        self.text = whole_characters(text)
        self.fresh = fresh
        self.cause = cause


def compile_source(source, filename):
    """Compiles and lets tracebacks show the lines of `source`. Raises Failure naming the line of a syntax error."""
    linecache.cache[filename] = (len(source), None, split_lines(source), filename)
    try:
        return compile_once(source, filename)
    except (SyntaxError, ValueError) as error:
        words = "".join(traceback.format_exception_only(type(error), error))
        saver = advice.saver()
        raise Failure("the function's source does not compile: %s%s" % (words, "This worker runs Python %s%s" % (advice.PYTHON, saver) if saver else ""))


@functools.lru_cache(maxsize=16)
def split_lines(source):
    return source.splitlines(True)


@functools.lru_cache(maxsize=16)
def compile_once(source, filename):
    """A warm worker receives the same source with each job, and executes it again for each job."""
    return compile(source, filename, "exec", dont_inherit=True)


def guard(step, *args):
    """Runs one step of user code (its source, its constructor, its call). Every outcome becomes a value or a Failure."""
    try:
        return step(*args)
    except Failure:
        raise
    except BaseException as error:
        raise failure_of(error)


def failure_of(error):
    if isinstance(error, SystemExit):
        return Failure("the function called sys.exit(%s)" % ("" if error.code is None else repr(error.code)), fresh=True)
    if isinstance(error, MemoryError):
        return Failure("the function ran out of memory%s\n%s" % (memory.limit_text(), user_traceback(error)), fresh=True)
    return Failure("%s%s\n%s" % (text_of(error), advice.for_raised(error), user_traceback(error)), cause=error)


def as_failure(error):
    """Of what an envelope raised."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, MemoryError):
        return Failure("the function's process ran out of memory%s" % memory.limit_text(), fresh=True)
    return Failure("the job could not be run: %s: %s" % (type(error).__name__, text_of(error)), fresh=True)


def text_of(error):
    """The text of the error, or its type if the text is empty or reading it raises."""
    try:
        return whole_characters(str(error)) or type(error).__name__
    except Exception:
        return type(error).__name__


def user_traceback(error):
    """The traceback from the user's first frame on, without our own frames."""
    frame = error.__traceback__
    while frame is not None and os.path.dirname(os.path.abspath(frame.tb_frame.f_code.co_filename)).startswith(OUR_DIRS):
        frame = frame.tb_next
    return whole_characters("".join(traceback.format_exception(type(error), error, frame)))


def whole_characters(text):
    """Half of a surrogate pair becomes U+FFFD, because clients cannot print it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def call(function, args, kwargs, loop, report):
    """Calls the function, awaits an awaitable result on the persistent loop, and records when the function started and ended."""
    report.entered_at = int(time.time() * 1000)
    try:
        return guard(call_and_await, function, args, kwargs, loop)
    finally:
        report.returned_at = int(time.time() * 1000)


def drain(generator, loop, chunk, report):
    """Passes each value of a generator to `chunk`, and always closes the generator, so that its `finally` blocks run in this job."""
    try:
        guard(drain_async if inspect.isasyncgen(generator) else drain_sync, generator, loop, chunk)
    finally:
        report.returned_at = int(time.time() * 1000)


def drain_sync(generator, _loop, chunk):
    try:
        for value in generator:
            chunk(value)
    finally:
        generator.close()


def drain_async(generator, loop, chunk):
    try:
        while True:
            try:
                value = loop.run_until_complete(settle(generator.__anext__()))
            except StopAsyncIteration:
                return
            chunk(value)
    finally:
        loop.run_until_complete(settle(generator.aclose()))


def call_and_await(function, args, kwargs, loop):
    value = function(*args, **kwargs)
    if inspect.isawaitable(value):
        return loop.run_until_complete(settle(value))
    return value


async def settle(awaitable):
    return await awaitable


async def call_in_loop(function, args, kwargs, report):
    """As `call`, in a task of the running event loop."""
    report.entered_at = int(time.time() * 1000)
    try:
        return await guard_in_loop(await_value(function, args, kwargs))
    finally:
        report.returned_at = int(time.time() * 1000)


async def drain_in_loop(generator, chunk, report):
    """As `drain`, in a task of the running event loop. `chunk` is awaited."""
    try:
        await guard_in_loop(await_values(generator, chunk))
    finally:
        report.returned_at = int(time.time() * 1000)


async def guard_in_loop(step):
    try:
        return await step
    except Failure:
        raise
    except BaseException as error:
        raise failure_of(error)


async def await_value(function, args, kwargs):
    value = function(*args, **kwargs)
    return await value if inspect.isawaitable(value) else value


async def await_values(generator, chunk):
    if not inspect.isasyncgen(generator):
        try:
            for value in generator:
                await chunk(value)
        finally:
            generator.close()
        return
    try:
        async for value in generator:
            await chunk(value)
    finally:
        await generator.aclose()


def to_json(value):
    """As the caller will read it: a tuple is a list."""
    return json.loads(to_json_text(value))


def to_json_text(value):
    return guard(as_json_text, value)


def as_json_text(value):
    try:
        return strict_json(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure("the function returned what JSON cannot carry (%s): %s" % (type(value).__name__, error))
