"""Frames between agent and child: two big-endian u32 (header length, body length), a JSON header, an opaque body.

The body of a job is the gateway's unchanged JSON, and the body of a result is posted unchanged, so that nothing large is parsed twice.
"""

import json
import socket
import struct

LENGTHS = struct.Struct(">II")
# Smaller frames take one system call: copying them costs less than a second call.
SMALL_BYTES = 65536


def open_reader(sock):
    """Reads a small frame in one system call, and a large body directly into its buffer."""
    return open(sock.fileno(), "rb", buffering=SMALL_BYTES, closefd=False)


def read_frame(reader):
    """Raises EOFError when the agent has closed the connection."""
    header_length, body_length = LENGTHS.unpack(read_exactly(reader, LENGTHS.size))
    return json.loads(read_exactly(reader, header_length)), read_exactly(reader, body_length)


def read_exactly(reader, count):
    data = reader.read(count)
    if len(data) < count:
        raise EOFError
    return data


def receive_frame(sock):
    """As `read_frame`, but takes nothing of the next frame, so that an event loop sees that one arrive."""
    header_length, body_length = LENGTHS.unpack(receive_exactly(sock, LENGTHS.size))
    return json.loads(receive_exactly(sock, header_length)), receive_exactly(sock, body_length)


def receive_exactly(sock, count):
    data = bytearray(count)
    view = memoryview(data)
    while len(view):
        received = sock.recv_into(view, flags=socket.MSG_WAITALL)
        if received == 0:
            raise EOFError
        view = view[received:]
    return bytes(data)


def write_frame(sock, header, body=b""):
    encoded = json.dumps(header).encode()
    start = LENGTHS.pack(len(encoded), len(body)) + encoded
    if len(body) < SMALL_BYTES:
        sock.sendall(start + body)
    else:
        sock.sendall(start)
        sock.sendall(body)
