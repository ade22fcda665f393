"""Checks signatures as docs/clients.md shows, on the webhook of a `runpod` job: `webhook_receiver.py ENDPOINT INPUT SECRET`."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import queue
import sys
import threading
import time

import runpod

runpod.api_key = os.environ["RUNPOD_API_KEY"]
ENDPOINT, INPUT, SECRET = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
received = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        received.put((self.headers, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()


def is_ours(headers, body, secret):
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return fresh and any(hmac.compare_digest(expected, each) for each in headers["webhook-signature"].split(" "))


server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}/done"
job = runpod.Endpoint(ENDPOINT).run({"input": INPUT, "webhook": url})
headers, body = received.get(timeout=90)
found = {
    "jobId": job.job_id,
    "output": job.output(timeout=30),
    "webhook": url,
    "body": json.loads(body),
    "isOurs": is_ours(headers, body, SECRET),
    "isOursWhenForged": is_ours(headers, body.replace(b"COMPLETED", b"FAILED"), SECRET),
}
print("@@ " + json.dumps(found))
