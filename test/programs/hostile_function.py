"""A hostile function: it reads the token of its own worker and sends the gateway requests that no worker sends, until a file exists.

Every attack is bounded: by the file, by `seconds`, and by pauses, so that it leaves the processors to the others.
"""


def attack(stop, job_file, seconds):
    import http.client
    import json
    import os
    import sys
    import threading
    import time
    import urllib.parse
    from collections import Counter

    os.nice(19)
    end = time.time() + seconds
    seen = Counter()

    def is_over():
        return time.time() > end or os.path.exists(stop)

    def environment_of(pid):
        with open(f"/proc/{pid}/environ", "rb") as file:
            return dict(line.split("=", 1) for line in file.read().decode(errors="replace").split("\0") if "=" in line)

    def parent_of(pid):
        with open(f"/proc/{pid}/stat", encoding="latin1") as file:
            return int(file.read().rpartition(")")[2].split()[1])

    pid = os.getppid()
    while "RUNPOD_AI_API_KEY" not in (found := environment_of(pid)):
        pid = parent_of(pid)
    token, worker = found["RUNPOD_AI_API_KEY"], found["RUNPOD_POD_ID"]
    done = urllib.parse.urlsplit(found["RUNPOD_WEBHOOK_POST_OUTPUT"])
    base = done.path.partition("/job-done/")[0]

    def send(what, method, path, body=b"", headers=()):
        connection = http.client.HTTPConnection(done.hostname, done.port, timeout=60)
        try:
            connection.request(method, base + path, body, {"authorization": token, **dict(headers)})
            reply = connection.getresponse()
            reply.read(1_000_000)
            seen[f"{what} {reply.status}"] += 1
        except OSError as error:
            seen[f"{what} {type(error).__name__}"] += 1
        finally:
            connection.close()

    while not os.path.exists(job_file):
        time.sleep(0.02)
    with open(job_file) as file:
        own = file.read().strip()

    many_keys = ("{" + ",".join(f'"k{n}":{n}' for n in range(3_000_000)) + "}").encode()
    deep = b"[" * 500_000 + b"]" * 500_000
    forged = {"x-runyard-timings": '{"enteredAt":1e999,"returnedAt":-1e300}', "x-runyard-post": "p" * 5000, "x-runyard-next": "1"}
    attacks = {
        "foreign result": lambda: send("foreign result", "POST", f"/job-done/{worker}/none-1", many_keys),
        "foreign result, deep": lambda: send("foreign result, deep", "POST", f"/job-done/{worker}/none-1", deep),
        "unknown path": lambda: send("unknown path", "POST", "/no-such-route", many_keys),
        "large chunk": lambda: send("large chunk", "POST", f"/job-stream/{worker}/{own}", json.dumps({"output": "x" * 200_000}).encode()),
        "forged headers": lambda: send("forged headers", "POST", f"/job-stream/{worker}/{own}", b'{"output":1}', forged),
        "long reason": lambda: send("long reason", "GET", f"/ping/{worker}?runpod_version={'9' * 12_000}&job_id={own}"),
        "no token": lambda: send("no token", "GET", f"/job-take/{'w' * 4000}", headers={"authorization": "none"}),
        "endless line": lambda: sys.stdout.write("x" * 1_000_000),
        "many lines": lambda: sys.stdout.write("y\n" * 100_000),
    }

    def repeat(one):
        while not is_over():
            attacks[one]()
            seen[one] += 1
            time.sleep(0.05)

    open(job_file + ".begun", "w").close()
    threads = [threading.Thread(target=repeat, args=[one], daemon=True) for one in attacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=max(1, end + 60 - time.time()))
    return dict(seen)
