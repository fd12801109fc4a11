"""A receiver of webhooks on a port of the kernel's choice, which it prints first and then each request as a line of JSON.

The path says what to answer: /204, /503?retry-after=7, /200?bytes=1000000. With secrets as arguments the official library must verify
each request with each of them, or the answer is 400. With the file PEER_CERTIFICATE it speaks TLS.
"""
import http.server
import json
import os
import ssl
import sys
import urllib.parse

secrets = sys.argv[1:]
if secrets:
    from standardwebhooks import Webhook


class Peer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        url = urllib.parse.urlsplit(self.path)
        fields = dict(urllib.parse.parse_qsl(url.query))
        status = int(url.path.strip("/"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            for secret in secrets:
                Webhook(secret).verify(body, headers)
        except Exception as error:
            print(error, file=sys.stderr)
            status = 400
        answer = b"x" * int(fields.pop("bytes", 0))
        request = {"headers": headers, "body": body.decode(), "port": str(self.client_address[1]), "path": url.path}
        print(json.dumps(request), flush=True)
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self):
        print(json.dumps({"headers": {}, "body": "GET", "port": "", "path": self.path}), flush=True)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Peer)
certificate = os.environ.get("PEER_CERTIFICATE")
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
