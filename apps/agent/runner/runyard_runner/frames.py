"""Frames between agent and child: two big-endian u32 (header length, body length), a JSON header, an opaque body.

The body of a job is the gateway's JSON as it came, the body of a result is posted as it is: nothing large is parsed twice.
"""

import json
import struct

LENGTHS = struct.Struct(">II")
# What is smaller goes and comes in one call of the system: to copy it costs less than a second one.
SMALL_BYTES = 65536


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
    if header_length + body_length < SMALL_BYTES:
        data = read_exactly(sock, header_length + body_length)
        return json.loads(data[:header_length]), data[header_length:]
    header = json.loads(read_exactly(sock, header_length))
    return header, read_exactly(sock, body_length)


def write_frame(sock, header, body=b""):
    encoded = json.dumps(header).encode()
    start = LENGTHS.pack(len(encoded), len(body)) + encoded
    if len(body) < SMALL_BYTES:
        sock.sendall(start + body)
    else:
        sock.sendall(start)
        sock.sendall(body)
