"""Memory limits of the child: which process the kernel kills first in a container, and our own limit outside of containers."""

import os


def limit_bytes():
    """RUNYARD_MEMORY_BYTES, or None when the worker is not limited."""
    text = os.environ.get("RUNYARD_MEMORY_BYTES", "")
    return int(text) if text.isdigit() and int(text) > 0 else None


def limit_text():
    limit = limit_bytes()
    return " (limit %.3g GiB)" % (limit / 2**30) if limit else ""


def prepare_limits():
    try:
        # The kernel's out-of-memory killer must choose user code and never the agent, which has to report the failure.
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
    except OSError:
        pass
    limit = limit_bytes()
    # The process host has no cgroup. RLIMIT_DATA counts private writable memory, not the address space that CUDA reserves.
    if limit and os.environ.get("RUNYARD_SCRATCH_DIR"):
        import resource

        try:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        except (ValueError, OSError):
            pass
