"""An application behind the client, over WSGI or ASGI. Its requests carry the claims that it would have verified, in the
field Claims."""
import asyncio, json, socketserver, sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from revocations import Revocations

kind, url, mode, max_age, fail, token = sys.argv[1:]
revocations = Revocations(url, token or None, mode, float(max_age), fail == "open")
revocations.ready.wait(60)


def text():
    return f"age={revocations.check({'sid': '00000000-0000-4000-8000-000000000000'})[1]:.1f}\n".encode()


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [text()]


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text()})


def over_asgi(environ, start_response):
    """Serves the ASGI application, as a server for ASGI does."""
    messages = []

    async def send(message):
        messages.append(message)

    guard = revocations.asgi(asgi, lambda scope: json.loads(dict(scope["headers"])[b"claims"]))
    asyncio.run(guard({"type": "http", "headers": [(b"claims", environ["HTTP_CLAIMS"].encode())]}, None, send))
    fields = [(name.decode(), value.decode()) for name, value in messages[0]["headers"]]
    start_response(f"{messages[0]['status']} x", fields)
    return [message.get("body", b"") for message in messages[1:]]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


server = Server(("127.0.0.1", 0), Quiet)
server.set_app({"asgi": over_asgi, "wsgi": revocations.wsgi(wsgi, lambda environ: json.loads(environ["HTTP_CLAIMS"]))}[kind])
print(f"listening on 127.0.0.1:{server.server_port} ", flush=True)
server.serve_forever()
