"""On a process host the worker plane is `runyard.localhost` (ADR 87). Names below localhost are loopback (RFC 6761), but the resolver of many systems knows
none of them, so Python resolves the plane's by itself. A container has its name in /etc/hosts.
"""

import os
import re
import socket


def resolve():
    name = os.environ.get("RUNYARD_PLANE_NAME", "")
    if not name.endswith(".localhost"):
        return
    system = socket.getaddrinfo

    def getaddrinfo(host, *more, **options):
        text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        own = isinstance(text, str) and (text == name or text.endswith("." + name))
        return system("127.0.0.1" if own else host, *more, **options)

    socket.getaddrinfo = getaddrinfo


def event_loop():
    """What uvicorn runs on: uvloop asks the system's resolver alone."""
    return "asyncio" if os.environ.get("RUNYARD_PLANE_NAME", "").endswith(".localhost") and not system_knows_localhost() else "auto"


def system_knows_localhost():
    """A question would go to the name server, which may be away, so this reads who answers."""
    try:
        with open("/etc/nsswitch.conf") as file:
            return re.search(r"^hosts:.*\b(myhostname|resolve)\b", file.read(), re.MULTILINE) is not None
    except OSError:
        return False
