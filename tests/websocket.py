"""A WebSocket client for the tests, small enough to send what no client would."""
import base64
import contextlib
import hashlib
import json
import os
import socket

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(Exception):
    """The server answered the upgrade with another status."""

    def __init__(self, status, head):
        super().__init__(f"{status}")
        self.status, self.head = status, head


class WebSocket:
    def __init__(self, host="127.0.0.1", port=0, path="/ws", unix=None, headers=None, protocols=("mcp",), timeout=10):
        if unix:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(unix)
        else:
            self.sock = socket.create_connection((host, port), timeout)
        key = base64.b64encode(os.urandom(16))
        lines = {"Host": f"{host}:{port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key.decode(),
                 "Sec-WebSocket-Version": "13"}
        if protocols:
            lines["Sec-WebSocket-Protocol"] = ", ".join(protocols)
        lines.update(headers or {})
        self.sock.sendall(f"GET {path} HTTP/1.1\r\n".encode() + b"".join(f"{k}: {v}\r\n".encode() for k, v in lines.items()) + b"\r\n")
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            part = self.sock.recv(4096)
            if not part:
                raise Refused(0, self.rest.decode("latin-1"))
            self.rest += part
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            self.sock.close()
            raise Refused(status, head.decode("latin-1"))
        self.headers = dict(line.lower().split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
        want = base64.b64encode(hashlib.sha1(key + MAGIC).digest()).decode().lower()
        assert self.headers["sec-websocket-accept"] == want

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def frame(self, opcode, data=b"", final=True):
        size = bytes([0x80 | len(data)]) if len(data) < 126 else \
            bytes([0x80 | 126]) + len(data).to_bytes(2, "big") if len(data) < 65536 else bytes([0x80 | 127]) + len(data).to_bytes(8, "big")
        mask = os.urandom(4)
        pad = mask * (len(data) // 4 + 1)
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(pad[:len(data)], "big")).to_bytes(len(data), "big") if data else b""
        self.sock.sendall(bytes([(0x80 if final else 0) | opcode]) + size + mask + masked)

    def send(self, message):
        self.frame(TEXT, (message if isinstance(message, str) else json.dumps(message)).encode())

    def take(self, n):
        while len(self.rest) < n:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError
            self.rest += part
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def receive(self):
        """The next frame: opcode, bytes."""
        first, n = self.take(2)
        if n == 126:
            n = int.from_bytes(self.take(2), "big")
        elif n == 127:
            n = int.from_bytes(self.take(8), "big")
        return first & 15, self.take(n)

    def message(self):
        """The next message as JSON; pings are answered."""
        while True:
            opcode, data = self.receive()
            if opcode == PING:
                self.frame(PONG, data)
            elif opcode == TEXT:
                return json.loads(data)
            elif opcode == CLOSE:
                with contextlib.suppress(OSError):
                    self.frame(CLOSE, data)
                raise ConnectionError(int.from_bytes(data[:2], "big"), data[2:].decode())

    def call(self, method, params=None, number=1):
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params or {}})
        return self.message()

    def closed(self):
        """The status with which the other side closes."""
        try:
            while True:
                self.message()
        except ConnectionError as e:
            return e.args[0]
        except EOFError:
            return 0
