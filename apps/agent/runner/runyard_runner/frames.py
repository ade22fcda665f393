"""Frames between agent and child: two big-endian u32 (header length, body length), a JSON header, an opaque body.

The body of a job is the gateway's JSON as it came, the body of a result is posted as it is: nothing large is parsed twice.
"""

import json
import struct

LENGTHS = struct.Struct(">II")


def read_exactly(sock, count):
    data = bytearray(count)
    view = memoryview(data)
    got = 0
    while got < count:
        size = sock.recv_into(view[got:])
        if size == 0:
            raise EOFError
        got += size
    return data


def read_frame(sock):
    """Raises EOFError when the agent has closed the connection."""
    header_length, body_length = LENGTHS.unpack(read_exactly(sock, LENGTHS.size))
    header = json.loads(read_exactly(sock, header_length))
    return header, read_exactly(sock, body_length)


def write_frame(sock, header, body=b""):
    encoded = json.dumps(header).encode()
    sock.sendall(LENGTHS.pack(len(encoded), len(body)) + encoded)
    if body:
        sock.sendall(body)
