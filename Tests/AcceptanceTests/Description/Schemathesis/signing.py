"""Has schemathesis sign what it sends to the webhook, as Dynamic does."""
import hashlib, hmac, os
import schemathesis

secret = os.environ["DYNAMIC_WEBHOOK_SECRET"].encode()


def sign(request):
    body = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    request.headers["x-dynamic-signature-256"] = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return request


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.path == "/webhooks/dynamic":
        kwargs["auth"] = sign
