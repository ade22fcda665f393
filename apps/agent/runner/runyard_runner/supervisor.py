"""Owns the processes of user code: forks a runner child on request, reaps all children, and kills the rest at its end.

It is the subreaper of all that user code starts, because Node as PID 1 cannot wait for processes that it did not start.
It runs no user code and starts no thread, so a fork from it is always safe. Modules that the operator names are imported
before the first fork (RUNYARD_PRELOAD); what they start does not exist in a fork. When its stdin ends (the agent is gone), it
kills all of its descendants and ends. Commands come as JSON lines on stdin, reports go as JSON lines to fd 3.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import sys
import time

REPORT_FD = 3
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SWEEP_LIMIT_S = 5.0


def prctl(option, value):
    """Best effort: where there is no prctl (macOS), the sweep falls back to the child's process group."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def keep_niceness():
    """Gives a new session the priority of its process: Linux shares the processors between sessions first (autogroup, sched(7))."""
    try:
        niceness = os.getpriority(os.PRIO_PROCESS, 0)
        if niceness > 0:
            with open("/proc/self/autogroup", "w") as file:
                file.write(str(niceness))
    except OSError:
        pass  # Not every kernel has groups, and in a short time it takes one such change only.


def preload(vendor_dir):
    """Imports what every child needs, so that a fork takes only some milliseconds."""
    import asyncio  # noqa: F401

    from . import pickling

    pickling.load_cloudpickle(vendor_dir)
    pickling.prepare_names()
    from . import child  # noqa: F401
    from .envelopes import deployed_flash, deployed_sdk2, flash, json_source  # noqa: F401


def preload_named(names):
    """Imports modules that the operator names. One that cannot be imported is said to be so, and the function finds out for itself."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        return
    import importlib

    from .installers import attach_installed

    attach_installed()
    for name in wanted:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print("runyard: the module %s cannot be preloaded: %s: %s" % (name, type(error).__name__, error), flush=True)


class Supervisor:
    def __init__(self, socket_path, fifo_path, marker):
        self.socket_path = socket_path
        self.fifo_path = fifo_path
        self.marker = marker
        self.child = None  # (pid, generation)
        self.wake_read, self.wake_write = os.pipe()
        os.set_blocking(self.wake_read, False)
        os.set_blocking(self.wake_write, False)
        self.pending = b""

    def report(self, message):
        try:
            os.write(REPORT_FD, (json.dumps(message) + "\n").encode())
        except OSError:
            pass  # the agent is gone; the end of stdin follows

    def run(self):
        signal.set_wakeup_fd(self.wake_write)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            readable, _, _ = select.select([0, self.wake_read], [], [])
            if self.wake_read in readable:
                self.drain_wakeups()
                self.reap()
            if 0 in readable and not self.read_commands():
                self.end()

    def drain_wakeups(self):
        try:
            while os.read(self.wake_read, 4096):
                pass
        except BlockingIOError:
            pass

    def read_commands(self):
        data = os.read(0, 65536)
        self.pending += data
        while b"\n" in self.pending:
            line, self.pending = self.pending.split(b"\n", 1)
            command = json.loads(line)
            if command["op"] == "fork":
                self.fork(command["generation"])
            elif command["op"] == "kill":
                self.kill(command["generation"])
            elif command["op"] == "environment":
                self.take_on(command["env"])
        return bool(data)

    def take_on(self, environment):
        """A worker that stood by has an endpoint now: all later forks get its environment."""
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()

    def fork(self, generation):
        if self.child is not None:
            self.kill(self.child[1])
        supervisor_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            self.become_child(generation, supervisor_pid)
        self.child = (pid, generation)
        self.report({"kind": "forked", "generation": generation, "pid": pid})

    def become_child(self, generation, supervisor_pid):
        code = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.setsid()
            keep_niceness()
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor_pid:
                os._exit(code)
            null = os.open(os.devnull, os.O_RDONLY)
            os.dup2(null, 0)
            for fd in (null, REPORT_FD, self.wake_read, self.wake_write):
                os.close(fd)
            from . import child

            child.main(self.socket_path, self.fifo_path, generation, self.marker)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)

    def kill(self, generation):
        if self.child is not None and self.child[1] == generation:
            pid = self.child[0]
            try:
                os.kill(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                return
            self.buried(pid, status)

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.buried(pid, status)

    def buried(self, pid, status):
        if self.child is None or pid != self.child[0]:
            return
        generation = self.child[1]
        self.child = None
        self.sweep(pid)
        killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        exit_code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        # In the same pipe as the child's output, so that the agent has read all of it when the marker arrives.
        os.write(1, b"\0%s:exit:%d\0" % (self.marker.encode(), generation))
        name = signal.Signals(killed_by).name if killed_by in iter(signal.Signals) else killed_by and "signal %d" % killed_by
        self.report({"kind": "exited", "generation": generation, "exitCode": exit_code, "signal": name})

    def sweep(self, dead_pid):
        """Kills the processes that a dead child left. Orphaned grandchildren become our children, so it repeats until there are none."""
        deadline = time.monotonic() + SWEEP_LIMIT_S
        if not os.path.isdir("/proc/self"):
            try:
                os.killpg(dead_pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        while time.monotonic() < deadline:
            orphans = children_of(os.getpid())
            if not orphans:
                return
            for pid in orphans:
                try:
                    os.kill(pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            time.sleep(0.002)

    def end(self):
        if self.child is not None:
            pid = self.child[0]
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
            self.sweep(pid)
        # A killed agent could not do it.
        shutil.rmtree(os.environ.get("RUNYARD_RUNTIME_DIR", ""), ignore_errors=True)
        os._exit(0)


def children_of(parent):
    try:
        with open("/proc/%d/task/%d/children" % (parent, parent)) as listing:
            return [int(pid) for pid in listing.read().split()]
    except OSError:
        return scan_children(parent)


def scan_children(parent):
    """For kernels without CONFIG_PROC_CHILDREN; an empty list without /proc."""
    found = []
    try:
        entries = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return found
    for entry in entries:
        try:
            with open("/proc/%s/stat" % entry) as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(entry))
    return found


def main(socket_path, fifo_path, marker, vendor_dir):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.mkfifo(fifo_path, 0o600)
    # Opened for reading and writing, so that the pipe never ends and always accepts writers.
    fifo = os.open(fifo_path, os.O_RDWR)
    os.dup2(fifo, 1)
    os.dup2(fifo, 2)
    os.close(fifo)
    supervisor = Supervisor(socket_path, fifo_path, marker)
    supervisor.report({"kind": "ready", "python": sys.version.split()[0], "executable": sys.executable})
    preload(vendor_dir)
    preload_named(os.environ.get("RUNYARD_PRELOAD", ""))
    supervisor.run()
