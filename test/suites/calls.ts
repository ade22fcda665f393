// Raw jobs for our own workers, without an SDK on the client side: SDK 2.0's envelope, source text with JSON (sdk2-api §4.2).

/** The `input` of a job that runs the function `name` of `code`. */
export function sourceCall(name: string, code: string, kwargs: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { function_name: name, function_code: code, args: [], kwargs, serialization_format: 'json', execution_type: 'function' }
}

export const ECHO = `
def echo(value=None):
    import os
    return {"value": value, "worker": os.environ.get("RUNPOD_POD_ID")}
`

export const NAP = `
def nap(seconds, value=None):
    import os, time
    begun = time.time()
    time.sleep(seconds)
    return {"value": value, "worker": os.environ.get("RUNPOD_POD_ID"), "begun": begun}
`

/** Ends when the file exists; a worker of the process host shares the file system with the test. */
export const UNTIL = `
def until(path, value=None):
    import os, time
    while not os.path.exists(path):
        time.sleep(0.05)
    return {"value": value, "worker": os.environ.get("RUNPOD_POD_ID")}
`

/** Never ends on the first worker, and ends at once on every other. */
export const HANG_ON = `
def hang_on(worker, value=None):
    import os, time
    begun = time.time()
    here = os.environ.get("RUNPOD_POD_ID")
    if here == worker:
        time.sleep(600)
    return {"value": value, "worker": here, "begun": begun}
`

export const FAIL = `
def fail():
    raise ValueError("the cheese is gone")
`

export const COUNT = `
def count(to):
    import time
    for number in range(to):
        time.sleep(0.05)
        yield {"number": number}
`

export const READ_MODE = `
def read_mode():
    import os
    return {"mode": os.environ.get("MODE")}
`

/** The value in a job's output. The envelope is a list with one reply, or the reply itself (sdk2-api §4.4). */
export function valueOf(output: unknown): Record<string, unknown> {
  const reply = (Array.isArray(output) ? output[0] : output) as { json_result?: unknown } | undefined
  return (reply?.json_result ?? {}) as Record<string, unknown>
}
