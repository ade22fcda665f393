"""Runs Python programs with an unmodified SDK in forks of a process that has imported the SDK's third-party modules.

Importing them costs more processor time than most test programs need for themselves. The SDK's own modules are imported by each program,
because they read the environment. A request is a line of JSON on stdin, {"id", "argv", "cwd", "env", "stdout", "stderr"}; the replies on
stdout are {"id", "pid"} and, at the end, {"id", "code"} (null after a signal). The programs end with this process.
"""

import ctypes
import gc
import importlib.metadata
import json
import os
import select
import signal
import sys
import tarfile
import types

COMMON = "aiohttp aiohttp_retry asyncio backoff concurrent.futures multiprocessing requests tempfile tomli tomlkit tqdm_loggable.auto urllib3 uuid"
# What versions of each SDK import besides.
MODULES = {
    "runpod 1.": "cpuinfo cryptography paramiko",
    "runpod 2.": "cryptography paramiko pathspec prettytable yaml",
    "runpod 1.6": "boto3 click fastapi s3transfer.manager uvicorn",
    "runpod 1.7": "boto3 click fastapi s3transfer.manager uvicorn",
    "runpod-flash ": "click cloudpickle dotenv httpx pathspec pydantic questionary rich.console rich.live rich.logging rich.panel rich.progress rich.prompt "
    "rich.syntax rich.table typer watchfiles yaml",
    "openai ": "httpx2 pydantic",
}
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


def preload():
    installed = ["%s %s" % (each.metadata["Name"], each.version) for each in importlib.metadata.distributions()]
    wanted = [names for sdk, names in MODULES.items() if any(each.startswith(sdk) for each in installed)]
    for name in " ".join([COMMON, *wanted]).split():
        try:
            importlib.import_module(name)
        except ImportError:
            pass  # Not a dependency of this version.
    if "cpuinfo" in sys.modules:
        # The SDK asks for it at import; each answer costs half a second.
        known = sys.modules["cpuinfo"].get_cpu_info()
        sys.modules["cpuinfo"].get_cpu_info = lambda: dict(known)
    # The deploy tools pack some 200 MB: at the default level that is twelve seconds of processor time, at this one two.
    tarfile.TarFile.gzopen.__func__.__defaults__ = (*tarfile.TarFile.gzopen.__func__.__defaults__[:-1], 1)
    gc.freeze()


def serve():
    """Returns the request in the process of its program."""
    running, rest = {}, b""
    while True:
        readable, _, _ = select.select([0, *running], [], [])
        for pidfd in readable:
            if pidfd != 0:
                report_end(pidfd, *running.pop(pidfd))
        if 0 not in readable:
            continue
        read = os.read(0, 65536)
        if not read:
            os._exit(0)
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            request = json.loads(line)
            pid = os.fork()
            if pid == 0:
                become(request, running)
                return request
            running[os.pidfd_open(pid)] = (pid, request["id"])
            reply(id=request["id"], pid=pid)


def report_end(pidfd, pid, request_id):
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(pidfd)
    reply(id=request_id, code=code if code >= 0 else None)


def reply(**fields):
    os.write(1, json.dumps(fields).encode() + b"\n")


def become(request, others):
    for pidfd in others:
        os.close(pidfd)
    os.setsid()
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for fd, path, mode in ((0, os.devnull, os.O_RDONLY), (1, request["stdout"], os.O_WRONLY), (2, request["stderr"], os.O_WRONLY)):
        opened = os.open(path, mode | (os.O_CREAT | os.O_APPEND if fd else 0), 0o600)
        os.dup2(opened, fd)
        os.close(opened)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = request["argv"]
    sys.path[0] = os.path.dirname(os.path.join(request["cwd"], sys.argv[0]))


preload()
reply(ready=True)
wanted = serve()
program = os.path.join(wanted["cwd"], wanted["argv"][0])
main = types.ModuleType("__main__")
main.__file__ = program
# This module must stay alive, since its end would clear its names.
sys.modules["fork_server"], sys.modules["__main__"] = sys.modules["__main__"], main
with open(program, encoding="utf-8") as source:
    code = compile(source.read(), program, "exec")
exec(code, main.__dict__)
