"""One event loop for the life of the process, because instances keep objects that are bound to it. A broken loop is replaced."""

import asyncio
import os

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
        self.numbers = self.loop._selector.fileno(), self.loop._ssock.fileno(), self.loop._csock.fileno()
        self.marks = [descriptors.mark(number) for number in self.numbers]

    def restore(self):
        loop = self.loop
        if events._get_running_loop() is not None:
            events._set_running_loop(None)
        if getattr(events, "_event_loop_policy", None) is not self.policy:
            events._event_loop_policy = self.policy
        marks = [descriptors.flags(number) for number in self.numbers]
        if marks != self.marks:
            self.disown(marks)
        if loop._closed or loop._thread_id is not None or loop._executor_shutdown_called:
            self.open()
            loop = self.loop
        if not self.is_set(loop):
            asyncio.set_event_loop(loop)
        self.restore_options()

    def restore_options(self):
        """What can be restored while it runs."""
        loop = self.loop
        if loop._debug or loop._task_factory is not None or loop._exception_handler is not None:
            loop.set_debug(False)
            loop.set_task_factory(None)
            loop.set_exception_handler(None)

    def disown(self, marks):
        """Ends the old loop, whose descriptors user code has closed or replaced. Otherwise the garbage collector closes these numbers in the
        middle of a later job, when they may be those of the new loop."""
        owners = getattr(self.loop._selector, "_selector", None), self.loop._ssock, self.loop._csock
        for owner, number, mark, found in zip(owners, self.numbers, self.marks, marks):
            is_foreign = found is not None and found != mark
            # An epoll can only be closed by its number: a copy keeps the file that has this number now.
            copy, is_inherited = (os.dup(number), os.get_inheritable(number)) if is_foreign else (None, False)
            try:
                if owner is not None:
                    owner.close()
            except OSError:
                pass  # the number is free
            if is_foreign:
                os.dup2(copy, number, is_inherited)
                os.close(copy)
        self.loop._closed = True

    def is_set(self, loop):
        """Also False if this Python keeps it elsewhere."""
        return getattr(getattr(self.policy, "_local", None), "_loop", None) is loop
