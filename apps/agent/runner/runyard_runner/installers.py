"""The install tools: uv or pip for Python, apt-get for the system. Decides where to install, not what.

In a container: into the image's own Python. On the process host (RUNYARD_SCRATCH_DIR): into a virtual environment of this worker, so that
the machine's own Python stays unchanged. A failed tool raises one Failure with its last lines.
"""

import collections
import contextlib
import importlib.util
import os
import re
import shutil
import signal
import site
import subprocess
import sys
import threading

from . import distributions
from .calling import Failure

DEFAULT_LIMIT_S = 300
LAST_LINES = 12
# Of uv and of pip. Small packages come without such a line.
PROGRESS = re.compile(r"\s*(Downloading|Downloaded|Building|Built) ")


def scratch_environment():
    scratch = os.environ.get("RUNYARD_SCRATCH_DIR")
    return os.path.join(scratch, "venv") if scratch else None


def site_directory(environment):
    version = "python%d.%d" % sys.version_info[:2]
    return os.path.join(environment, "lib", version, "site-packages")


def attach_installed():
    """Makes earlier installs of this worker importable in a fresh child."""
    environment = scratch_environment()
    if environment and os.path.isdir(site_directory(environment)):
        directory = site_directory(environment)
        if directory not in sys.path:
            site.addsitedir(directory)
            sys.path.remove(directory)
            sys.path.insert(1, directory)


def discard_scratch():
    """True if the environment was this worker's own and no longer exists."""
    environment = scratch_environment()
    if environment is None:
        return False
    shutil.rmtree(environment, ignore_errors=True)
    return True


def install_python(packages, again=False, lock=None):
    """`again`: reinstalls packages that seem to be installed, because an earlier install was interrupted. `lock`: a file of requirements with hashes, in place of names."""
    command, reinstall = installer()
    what = "installing the dependencies %s" % ", ".join(packages)
    targets = ["--"] + list(packages) if lock is None else ["--no-deps", "--require-hashes", "-r", lock]
    command += [reinstall] if again else []
    trim_cache()
    try:
        run_tool(command + targets, what)
    except Failure:
        # The workers of a host share uv's cache: what another one has installed is there when the index is not.
        if not is_uv(command) or not is_cached(command + ["--offline", "--dry-run"] + targets, what):
            raise
        print("runyard: the package index does not answer; installing from the cache of this host", flush=True)
        run_tool(command + ["--offline"] + targets, what)


def install_into(directory, lock, what):
    """All of a lock, into a directory that is no environment. Compiled, because workers write nothing there."""
    uv = shutil.which("uv")
    if uv is None and importlib.util.find_spec("pip") is None:
        raise Failure("%s needs uv or pip, and this worker has neither" % what)
    command = [uv, "pip", "install", "--python", sys.executable, "--compile-bytecode"] if uv else [sys.executable, "-m", "pip", "install", "--no-input"]
    run_tool(command + ["--target", directory, "--no-deps", "--require-hashes", "-r", lock], what)


def trim_cache():
    """Empties the cache that the workers of an owner share on a host, once it is larger than the setting dependencyCacheBytes."""
    text, directory, uv = os.environ.get("RUNYARD_DEPENDENCY_CACHE_BYTES", ""), os.environ.get("UV_CACHE_DIR"), shutil.which("uv")
    if not text.isdigit() or not directory or not uv:
        return
    if directory_bytes(directory) > int(text):
        print("runyard: the cache of packages on this host is full; it is emptied", flush=True)
        try:
            run_tool([uv, "cache", "clean"], "emptying the cache of packages")
        except Failure as failure:
            print("runyard: %s" % failure.text, flush=True)


def directory_bytes(directory):
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                pass  # Another worker removes it.
    return total


def is_uv(command):
    return os.path.basename(command[0]) == "uv"


def is_cached(command, what):
    try:
        run_tool(command, what)
        return True
    except Failure:
        return False


def limit_s():
    """Setting dependencyLimitS."""
    text = os.environ.get("RUNYARD_DEPENDENCY_LIMIT_S", "")
    return int(text) if text.isdigit() and int(text) > 0 else DEFAULT_LIMIT_S


def installer():
    """The command, and its option for reinstalling."""
    environment = scratch_environment()
    if environment and not os.path.isdir(environment):
        run_tool([sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", environment], "creating a virtual environment")
    python = os.path.join(environment, "bin", "python") if environment else sys.executable
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", python] + ([] if environment else ["--break-system-packages"]), "--reinstall"
    if importlib.util.find_spec("pip") is None:
        raise Failure("this worker has neither uv nor pip, so dependencies cannot be installed")
    pip = [sys.executable, "-m", "pip"]
    if not environment:
        return pip + ["install", "--no-input"], "--force-reinstall"
    # pip before 22.3 knows no --python. Debian's pip would put a --prefix install elsewhere, so that is for old pips alone.
    if pip_version() >= (22, 3):
        return pip + ["--python", python, "install", "--no-input"], "--force-reinstall"
    return pip + ["install", "--no-input", "--prefix", environment], "--force-reinstall"


def pip_version():
    return tuple(int(part) for part in re.findall(r"\d+", distributions.version("pip") or "0")[:2])


def install_system(packages, again=False):
    what = "installing the system_dependencies %s" % ", ".join(packages)
    if again:
        run_tool(["dpkg", "--configure", "-a"], what)
    run_tool(["apt-get", "update"], what)
    run_tool(["apt-get", "install", "-y", "--no-install-recommends"] + list(packages), what)


def check_system(packages):
    if os.environ.get("RUNYARD_SCRATCH_DIR"):
        raise Failure("system_dependencies (%s) are not installed on a process host: it is somebody's machine" % ", ".join(packages))
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Failure("system_dependencies (%s) need apt-get and root, which this image does not give" % ", ".join(packages))


def run_tool(command, what):
    environment = dict(os.environ, PIP_BREAK_SYSTEM_PACKAGES="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore")
    environment["DEBIAN_FRONTEND"] = "noninteractive"
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment, start_new_session=True
        )
    except OSError as error:
        raise Failure("%s failed: %s could not be started: %s" % (what, command[0], error))
    last, is_late = follow(process)
    if is_late:
        raise Failure("%s took longer than %d s and was stopped (setting dependencyLimitS)" % (what, limit_s()))
    if process.returncode != 0:
        raise Failure("%s failed (exit code %d):\n%s" % (what, process.returncode, "\n".join(last)))


def follow(process):
    """Shows which packages are downloaded or built, since those of torch take minutes. Returns the last lines, and whether it was stopped at the limit."""
    is_late = threading.Event()

    def stop():
        is_late.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit_s(), stop)
    timer.daemon = True
    timer.start()
    last = collections.deque(maxlen=LAST_LINES)
    try:
        for line in process.stdout:
            line = line.decode("utf-8", "replace").rstrip()
            if PROGRESS.match(line):
                print(line.strip(), flush=True)
            if line:
                last.append(line)
        process.wait()
    finally:
        timer.cancel()
        timer.join()
        process.stdout.close()
    return last, is_late.is_set()
