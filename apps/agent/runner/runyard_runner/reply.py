"""What an envelope hands back: the body of job-done with one hole, where the agent puts what the job printed."""


class Reply:
    """`before` and `after` are JSON text around the captured output, which the agent inserts as a JSON string."""

    def __init__(self, before, after, is_stream=False, fresh=False):
        self.before = before
        self.after = after
        self.is_stream = is_stream
        # True: this process is not to be trusted with another job.
        self.fresh = fresh


class CallReport:
    """What is told beside the reply: epoch milliseconds at which the function was entered and left (X-Runyard-Timings), and a
    `hint(text)` for the agent, which adds it to the error if this process dies in the call."""

    def __init__(self, hint):
        self.entered_at = None
        self.returned_at = None
        self.hint = hint
