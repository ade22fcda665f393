"""Starts Python beside the agent instead of after it (ADR 56): this process becomes the agent, which so is the container's init, and its child
becomes the supervisor, which the agent adopts. Only for images whose Python is known before the start.
"""

import json
import os

OWN = ("RUNPOD_WEBHOOK_", "RUNPOD_AI_API_KEY")  # of the worker protocol: they hold the worker's token, and user code gets none


def become_agent(command):
    """Returns in the child, with the supervisor's socket, fifo and marker."""
    # Given by who starts the container: copies of this process are found by it, and what is set here is not seen from outside.
    runtime = os.environ["RUNYARD_RUNTIME_DIR"]
    directory = os.path.join(runtime, "1")
    os.mkdir(runtime, 0o700)
    os.mkdir(directory, 0o700)
    marker = os.urandom(12).hex()
    (stdin, commands), (reports, report) = os.pipe(), os.pipe()
    pid = os.fork()
    if pid > 0:
        for fd in (commands, reports):
            os.set_inheritable(fd, True)
        found = {"pid": pid, "commands": commands, "reports": reports, "runtimeDir": runtime, "secret": marker}
        os.execve(command[0], command, dict(os.environ, RUNYARD_SUPERVISOR=json.dumps(found)))
    # A session of its own, as the agent makes it for those that it starts itself.
    os.setsid()
    for fd in (commands, reports):
        os.close(fd)
    os.dup2(stdin, 0)
    os.dup2(report, 3)
    os.closerange(4, max(stdin, report) + 1)
    for name in [name for name in os.environ if name.startswith(OWN)]:
        del os.environ[name]
    return [os.path.join(directory, "sock"), os.path.join(directory, "out"), marker]
