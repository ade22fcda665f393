"""What an envelope returns: the body of job-done with a gap into which the agent inserts the job's output."""


class Reply:
    """`before` and `after` are JSON text around the captured output, which the agent inserts as a JSON string."""

    def __init__(self, before, after, is_stream=False, fresh=False):
        self.before = before
        self.after = after
        self.is_stream = is_stream
        # True: this process must not run another job.
        self.fresh = fresh


class CallReport:
    """Facts beside the reply: when the function started and ended, in epoch milliseconds (X-Runyard-Timings), and a
    `hint(text)` for the agent, which adds it to the error if this process dies in the call."""

    def __init__(self, job_id, hint):
        self.job_id = job_id
        self.entered_at = None
        self.returned_at = None
        self.hint = hint


def done_frame(reply, report):
    """The header and the body of the frame that ends a job."""
    before = reply.before.encode()
    header = {
        "kind": "done",
        "id": report.job_id,
        "stdoutAt": len(before) if reply.after else None,
        "isStream": reply.is_stream,
        "fresh": reply.fresh,
        "enteredAt": report.entered_at,
        "returnedAt": report.returned_at,
    }
    return header, before + reply.after.encode()
