"""Installs the `dependencies` of a job at request time (flash-api §8.3), always exactly as the job names them (ADR 39).

The installer decides. It is skipped only if the same request was satisfied by the packages that are installed now, so two jobs that name two
versions each get their own version. If the version of a loaded module changes, the job needs a fresh process. An interrupted install (its
job was cancelled) leaves a note, and all of its packages are installed again.
"""

import hashlib
import importlib
import json
import os
import re
import sys

from . import distributions, installers
from .calling import Failure
from .installers import attach_installed

BARE_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$")
SITE_DIRECTORIES = ("site-packages", "dist-packages")


class NeedsFresh(BaseException):
    """The job must restart in a process that has imported nothing yet. No `except` of the runner catches it."""


def on_attached():
    """Replaced by the child: new paths stay importable for all later jobs."""


class Memory:
    """The satisfied requests of this worker, for its later processes. Written atomically."""

    def __init__(self):
        self.path = os.path.join(os.environ.get("RUNYARD_RUNTIME_DIR", "/tmp"), "installed")
        try:
            with open(self.path, encoding="utf-8") as file:
                self.content = json.load(file)
        except (OSError, ValueError):
            # satisfied: request → the packages that satisfied it. versions_moved: one has replaced another version of itself. unfinished:
            # "python" or "system" while an installer is at work. files: path → date of wheels that were named.
            self.content = {"satisfied": {}, "system": [], "versions_moved": False, "unfinished": None, "files": {}}

    def __getitem__(self, name):
        return self.content[name]

    def note(self, **changes):
        self.content.update(changes)
        with open(self.path + ".part", "w", encoding="utf-8") as file:
            json.dump(self.content, file)
        os.replace(self.path + ".part", self.path)


def ensure(python_packages, system_packages=None):
    """Raises Failure with one clear text, or NeedsFresh. Skips packages that are already installed."""
    if not python_packages and not system_packages:
        return
    python_packages = check_list("dependencies", python_packages)
    system_packages = check_list("system_dependencies", system_packages)
    memory = Memory()
    ensure_system(memory, system_packages)
    request = request_of(python_packages)
    before = versions()
    is_broken = memory["unfinished"] == "python"
    files = files_of(python_packages)
    # Installers compare versions, and a rebuilt file keeps its version.
    is_edited = any(memory["files"].get(path, date) != date for path, date in files.items())
    if not (is_broken or is_edited) and (memory["satisfied"].get(request) == digest_of(before) or all_present(memory, python_packages)):
        return
    memory.note(files=dict(memory["files"], **files))
    install(python_packages, again=is_broken or is_edited, memory=memory)
    memory.note(satisfied=dict(memory["satisfied"], **{request: digest_of(versions())}))


def check_list(name, given):
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(one, str) and one.strip() for one in given):
        raise Failure("%s must be a list of texts" % name)
    for one in given:
        if one.lstrip().startswith("-"):
            raise Failure("%s: %r is an option of the installer, not a package" % (name, one))
    return given


def request_of(packages):
    return json.dumps([sorted(packages), files_of(packages)])


def files_of(packages):
    """Path → date of the files among the packages."""
    paths = [package.partition("file://")[2] or package for package in packages]
    return {path: os.stat(path).st_mtime_ns for path in paths if os.sep in path and os.path.isfile(path)}


def all_present(memory, packages):
    """A bare name is satisfied by any version, unless versions were changed, which may have broken what another package needs."""
    return not memory["versions_moved"] and all(BARE_NAME.match(package) and distributions.version(package) is not None for package in packages)


def install_locked(path, wanted, also_older=False):
    """`wanted`, and all other missing packages of this lock (`also_older`: and those of an older version), each in the locked version and with its hash."""
    with open(path, encoding="utf-8") as file:
        # An entry continues in indented lines.
        entries = re.split(r"\n(?=\S)", file.read().strip())
    pins = {entry: entry.split()[0].partition("==")[::2] for entry in entries if not entry.startswith("#")}
    chosen = [entry for entry, (name, version) in pins.items() if name == wanted or is_missing(name, version, also_older)]
    lock = os.path.join(os.environ.get("RUNYARD_RUNTIME_DIR", "/tmp"), "wanted.lock")
    with open(lock, "w", encoding="utf-8") as file:
        file.write("\n".join(chosen) + "\n")
    install([wanted], lock=lock)


def is_missing(name, locked, also_older):
    found = distributions.version(name)
    return found is None or (also_older and numbers_of(found) < numbers_of(locked))


def numbers_of(version):
    return [int(part) for part in re.findall(r"\d+", version)]


def install(packages, again=False, memory=None, lock=None):
    print("installing " + ", ".join(packages), flush=True)
    memory = memory or Memory()
    before = versions()
    if memory["unfinished"] and installers.discard_scratch():
        memory.note(satisfied={})
    memory.note(unfinished="python")
    try:
        installers.install_python(packages, again=again, lock=lock)
    except Failure:
        # Most failures happen before anything is installed.
        if versions() == before and not again:
            memory.note(unfinished=None)
        raise
    attach_installed()
    on_attached()
    importlib.invalidate_caches()
    moved = [name for name, version in versions().items() if before.get(name, version) != version]
    memory.note(unfinished=None, versions_moved=memory["versions_moved"] or bool(moved))
    if again or any(is_loaded(name) for name in moved):
        memory.note(satisfied=dict(memory["satisfied"], **{request_of(packages): digest_of(versions())}))
        raise NeedsFresh


def versions():
    """Normalized name → version of every installed package. As for imports, the first one in sys.path counts."""
    found = {}
    for directory in sys.path:
        if os.path.basename(directory) in SITE_DIRECTORIES and os.path.isdir(directory):
            for entry in sorted(os.listdir(directory)):
                if entry.endswith(".dist-info"):
                    name, _, version = entry[: -len(".dist-info")].rpartition("-")
                    found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    return found


def digest_of(installed):
    return hashlib.sha256(json.dumps(installed, sort_keys=True).encode()).hexdigest()


def is_loaded(name):
    """True if a module of this package is loaded."""
    files = distributions.files(name)
    if files is None:
        return True
    tops = {file.parts[0].partition(".")[0] for file in files if file.suffix in (".py", ".so", ".pyd") and ".." not in file.parts}
    return any(top in sys.modules for top in tops)


def ensure_system(memory, packages):
    missing = [package for package in packages if package not in memory["system"]]
    if not missing:
        return
    installers.check_system(missing)
    print("installing " + ", ".join(missing) + " with apt-get", flush=True)
    was_broken = memory["unfinished"] == "system"
    memory.note(unfinished="system")
    installers.install_system(missing, again=was_broken)
    # `ffmpeg=1` and `ffmpeg=2` are one package.
    names = {package.partition("=")[0] for package in missing}
    kept = [package for package in memory["system"] if package.partition("=")[0] not in names]
    memory.note(unfinished=None, system=kept + missing)
