#!/usr/bin/python3
"""Memory of souk-ws with many idle connections.

usage: bench/websocket.py [CONNECTIONS [PORT]]

Starts the souk-ws beside SOUK_BIN (build/bin) with the configuration that SOUK_CONF names, opens the connections (1000), lets each
initialise, waits, and prints what all its processes hold together: the sum of their proportional set sizes (pages that several
share are counted once).
"""
import base64
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent.parent


def frame(text):
    data = text.encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + len(data).to_bytes(2, "big")
    mask = os.urandom(4)
    return b"\x81" + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), 10)
    key = base64.b64encode(os.urandom(16)).decode()
    s.sendall(f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mcp\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += s.recv(4096)
    assert head.startswith(b"HTTP/1.1 101"), head
    return s


def family(pid):
    yield pid
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from family(int(child))


def pss(pid):
    total = 0
    for p in family(pid):
        for line in pathlib.Path(f"/proc/{p}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def main():
    connections = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 3399
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, connections + 100)), hard))
    build = pathlib.Path(os.environ.get("SOUK_BIN", HERE / "build" / "bin" / "souk")).parent
    env = dict(os.environ, RATE_MCP="off", WS_CONNECTIONS=str(connections + 10), WS_PER_ADDRESS=str(connections + 10))
    server = subprocess.Popen([build / "souk-ws", "--port", str(port)], env=env)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        began = pss(server.pid)
        hello = frame(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}}))
        start = time.monotonic()
        sockets = []
        for _ in range(connections):
            s = connect(port)
            s.sendall(hello)
            sockets.append(s)
        for s in sockets:
            s.settimeout(10)
            assert s.recv(65536)[0] == 0x81
        seconds = time.monotonic() - start
        time.sleep(1)
        held = pss(server.pid)
        print(json.dumps({"connections": connections, "seconds": round(seconds, 2), "processes": len(list(family(server.pid))),
                          "kb_before": began, "kb": held, "kb_per_connection": round((held - began) / connections, 2)}))
    finally:
        server.send_signal(signal.SIGTERM)
        if server.wait(20) != 0:
            sys.exit("souk-ws did not end well")


main()
