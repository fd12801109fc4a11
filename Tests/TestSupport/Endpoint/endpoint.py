"""An endpoint that answers exactly what it is told to, on a port of the kernel's choice, which it prints.

The body of a POST is the answer, byte for byte. These fields of the request say more:
  x-end     then: close, reset, hold until the client goes, or keep for the next request. The default is to keep where
            the answer lets the client keep the connection too: else its next request may go out on one that is just
            being closed, and fail
  x-repeat  from this byte on, the answer is repeated until the client goes
  x-pause   milliseconds before each byte
GET /counts says, as JSON, how many other requests came, over how many connections, and how many of these are open.

With --answers FILE the answers stand there, each a line of JSON with the answer in base64 as "answer" and the fields
above, and are given one after the other, from the first again.
With --tls NAME --folder FOLDER it speaks TLS, with a certificate for NAME by the authority FOLDER/ca.pem, which it
makes.
With --oldest-tls it speaks TLS 1.0 and 1.1 only. With --host it listens on another address, or on unix:PATH.
"""
import argparse
import base64
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import time

arguments = argparse.ArgumentParser()
for name in ["--answers", "--tls", "--folder", "--host"]:
    arguments.add_argument(name)
arguments.add_argument("--oldest-tls", action="store_true")
arguments = arguments.parse_args()

lock = threading.Lock()
counts = {"requests": 0, "connections": 0, "open": 0}
answers = [json.loads(line) for line in open(arguments.answers)] if arguments.answers else []


def context():
    """TLS with a new certificate: the authority first, then the leaf that it signs."""
    folder = arguments.folder
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    new += ["-days", "1"]
    subprocess.run(
        new + ["-subj", "/CN=authority", "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem"],
        check=True, stderr=subprocess.DEVNULL)
    kind = "IP" if arguments.tls.replace(".", "").isdigit() else "DNS"
    subprocess.run(
        new + ["-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-subj", "/CN=endpoint",
               "-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName={kind}:{arguments.tls}",
               "-keyout", f"{folder}/leaf.key", "-out", f"{folder}/leaf.pem"],
        check=True, stderr=subprocess.DEVNULL)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(f"{folder}/leaf.pem", f"{folder}/leaf.key")
    if arguments.oldest_tls:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version, made.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return made


def read_request(peer, rest):
    """The request's line and fields, its body, and what came behind it; None when the client is gone."""
    while b"\r\n\r\n" not in rest:
        piece = peer.recv(65536)
        if not piece:
            return None
        rest += piece
    head, rest = rest.split(b"\r\n\r\n", 1)
    line, *fields = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
    length = int(fields.get("content-length", 0))
    while len(rest) < length:
        piece = peer.recv(65536)
        if not piece:
            return None
        rest += piece
    return line, fields, rest[:length], rest[length:]


def may_be_kept(answer):
    """Whether the client may take the answer for whole, and keep the connection."""
    head, end, rest = answer.replace(b"\r\n", b"\n").partition(b"\n\n")
    head = head.lower() + b"\n"
    if not end or not head.startswith(b"http/1.1 ") or b"\nconnection: close\n" in head:
        return False
    if head.startswith(b"http/1.1 1"):
        return may_be_kept(rest)
    if b"\ntransfer-encoding: chunked\n" in head:
        return b"\n0\n" in rest and rest.endswith(b"\n\n")
    length = re.search(rb"\ncontent-length: *(\d+)\n", head)
    return head.startswith(b"http/1.1 204") if length is None else int(length[1]) == len(rest)


def answer(peer, fields, body):
    pause = int(fields.get("x-pause", 0)) / 1000
    if pause:
        for byte in body:
            time.sleep(pause)
            peer.sendall(bytes([byte]))
    else:
        peer.sendall(body)
    if "x-repeat" in fields:
        piece = body[int(fields["x-repeat"]):]
        piece *= 1 + 65536 // len(piece)
        while True:
            peer.sendall(piece)


def serve(peer, tls):
    known = False
    try:
        peer.settimeout(60)
        if tls:
            peer = tls.wrap_socket(peer, server_side=True)
        rest = b""
        while True:
            request = read_request(peer, rest)
            if request is None:
                return
            line, fields, body, rest = request
            if line.startswith("GET /counts "):
                with lock:
                    text = json.dumps(counts).encode()
                head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(text)
                peer.sendall(head + text)
                return
            with lock:
                if answers:
                    fields = answers[counts["requests"] % len(answers)]
                    body = base64.b64decode(fields["answer"])
                counts["requests"] += 1
                if not known:
                    counts["connections"] += 1
                    counts["open"] += 1
                known = True
            answer(peer, fields, body)
            end = fields.get("x-end") or ("keep" if may_be_kept(body) else "close")
            if end == "reset":
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if end == "hold":
                while peer.recv(65536):
                    pass
            if end != "keep":
                return
    except (OSError, ValueError):
        pass
    finally:
        peer.close()
        if known:
            with lock:
                counts["open"] -= 1


host = arguments.host or "127.0.0.1"
if host.startswith("unix:"):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(host[5:])
else:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.bind((host, 0))
listener.listen(512)
tls = context() if arguments.tls else None
print(0 if host.startswith("unix:") else listener.getsockname()[1], flush=True)
while True:
    peer, _ = listener.accept()
    threading.Thread(target=serve, args=(peer, tls), daemon=True).start()
