"""The client of the receiving benchmark: posts bodies over one connection, as Lambda does.

    python benchmarks/posting.py PORT LINES POSTS PAUSE_MS

A process of its own, so that its CPU is not taken for the server's; it imports nothing of ours,
because it is started often.
"""

import json
import socket
import sys
import time


def make_post(lines: int) -> bytes:
    """Return a POST of so many lines."""
    record = {"timestamp": "2026-11-25T02:00:00.000Z", "level": "INFO", "message": "order accepted"}
    item = {"time": "2026-11-25T02:00:00.000Z", "type": "function", "record": record}
    body = json.dumps([item] * lines).encode()
    return (
        b"POST / HTTP/1.1\r\nHost: sandbox.localdomain:4243\r\nUser-Agent: Go-http-client/1.1\r\n"
        b"Content-Length: %d\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n%s"
        % (len(body), body)
    )


def work(duration_ms: int) -> None:
    """Do what a handler does: make and read objects."""
    document = [{f"k{number}": list(range(50))} for number in range(400)]
    end_s = time.perf_counter() + duration_ms / 1000
    while time.perf_counter() < end_s:
        json.loads(json.dumps(document))


def post_all(port: int, lines: int, posts: int, pause_ms: int) -> None:
    """Be the client."""
    post = make_post(lines)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for _ in range(posts):
            work(pause_ms)
            sock.sendall(post)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += sock.recv(4096)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(answer.decode())


if __name__ == "__main__":
    post_all(*map(int, sys.argv[1:]))
