"""One event loop for the life of the process, because instances keep objects that are bound to it. A broken loop is replaced."""

import asyncio

from . import descriptors

events = asyncio.events


class Loop:
    def __init__(self):
        self.open()
        asyncio.set_event_loop(self.loop)
        # Made by that call, where the Python has policies.
        self.policy = getattr(events, "_event_loop_policy", None)

    def open(self):
        self.loop = asyncio.new_event_loop()
        self.epoll, self.wakeup = self.loop._selector.fileno(), self.loop._ssock.fileno()
        self.flags = descriptors.mark(self.epoll), descriptors.mark(self.wakeup)

    def restore(self):
        loop = self.loop
        if events._get_running_loop() is not None:
            events._set_running_loop(None)
        if getattr(events, "_event_loop_policy", None) is not self.policy:
            events._event_loop_policy = self.policy
        is_usable = not (loop._closed or loop._thread_id is not None or loop._executor_shutdown_called)
        if not is_usable or (descriptors.flags(self.epoll), descriptors.flags(self.wakeup)) != self.flags:
            self.open()
            loop = self.loop
        if not self.is_set(loop):
            asyncio.set_event_loop(loop)
        if loop._debug or loop._task_factory is not None or loop._exception_handler is not None:
            loop.set_debug(False)
            loop.set_task_factory(None)
            loop.set_exception_handler(None)

    def is_set(self, loop):
        """Also False if this Python keeps it elsewhere."""
        return getattr(getattr(self.policy, "_local", None), "_loop", None) is loop
