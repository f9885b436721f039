"""Live results and status of a server, one JSON object on each line.

usage: python3 scripts/follow.py ws://HOST:PORT/api/v1/streams/ID/live [--count N]

Python's own library has no WebSocket client, and curl of Debian 12 has none either: this is RFC 6455 as far as a reader of
text needs it. A token, where the server wants one, is taken from $OCELLI_TOKEN.
"""

import argparse
import base64
import hashlib
import os
import socket
import ssl
import sys
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
# Section 1.3 of the RFC: what proves that the server means a WebSocket.
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LONGEST_HEAD = 16 << 10
LONGEST_MESSAGE = 16 << 20


class Refused(Exception):
    """The server does not let us follow, or does not speak as the RFC says."""


def connect(url, token=None, timeout=60):
    """A stream of bytes behind an accepted handshake. The server pings every few seconds: silence beyond `timeout` is an end."""
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise Refused(f"{url}: write ws://HOST:PORT/PATH, or wss:// with TLS")
    secure = parts.scheme == "wss"
    sock = socket.create_connection((parts.hostname, parts.port or (443 if secure else 80)), timeout)
    if secure:
        sock = ssl.create_default_context().wrap_socket(sock, server_hostname=parts.hostname)
    key = base64.b64encode(os.urandom(16)).decode()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", "Connection: Upgrade", "Upgrade: websocket"]
    lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    stream = sock.makefile("rwb")
    accept(stream, key)
    return stream


def accept(stream, key):
    """Reads the answer to the handshake."""
    status = stream.readline(LONGEST_HEAD).decode("latin-1").strip()
    fields = {}
    while line := stream.readline(LONGEST_HEAD).decode("latin-1").strip():
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    if " 101" not in status:
        length = min(int(fields.get("content-length", 0)), LONGEST_HEAD)
        raise Refused(f"{status}: {stream.read(length).decode(errors='replace')}")
    expected = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    if fields.get("sec-websocket-accept") != expected:
        raise Refused("the answer does not belong to our question")


def exactly(stream, count):
    data = stream.read(count)
    if len(data) != count:
        raise Refused("the connection broke off")
    return data


def messages(stream):
    """The texts that arrive, until the server closes. Pings are answered."""
    text = b""
    while True:
        first, second = exactly(stream, 2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(exactly(stream, 2 if length == 126 else 8), "big")
        if len(text) + length > LONGEST_MESSAGE:
            raise Refused("a message is too long")
        payload, opcode = exactly(stream, length), first & 0xF
        if opcode == CLOSE:
            return
        if opcode == PING:
            # Clients mask what they send; a mask of zeros is one.
            stream.write(bytes([0x80 | PONG, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
            stream.flush()
        elif opcode <= TEXT:
            text += payload
            if first & 0x80:
                yield text.decode()
                text = b""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--count", type=int, help="end after so many lines")
    options = parser.parse_args()
    try:
        stream = connect(options.url, os.environ.get("OCELLI_TOKEN"))
        for number, message in enumerate(messages(stream), 1):
            print(message, flush=True)
            if number == options.count:
                break
    except (Refused, OSError) as error:
        sys.exit(f"follow: {error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
