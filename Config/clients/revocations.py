"""Asks revoked whether a session is refused. Python 3.9, standard library.

    revocations = Revocations("http://127.0.0.1:8081")
    revocations.ready.wait(60)                # once in each worker process, before it listens
    reason, age = revocations.check(claims)   # the claims of a JWT that the application has verified
    application = revocations.wsgi(application, lambda environ: environ["claims"])
    application = revocations.asgi(application, lambda scope: scope["state"]["claims"])

The reason to refuse is revoked, cut-off, no-session, unreadable or, where the answer is not known, unfit. None lets
pass. The age is the number of seconds since everything was known.
Mode "feed" keeps all revoked sessions and cut-offs in memory. While revoked is away, it goes on refusing what it knows,
and lets the others pass for max_age seconds. Mode "ask" sends each question to revoked. Where the answer is not known,
the middleware refuses with status 503, or lets pass with fail_open.
"""
import asyncio, http.client, json, logging, math, re, threading, time, urllib.error, urllib.request
from datetime import datetime
PROBLEMS = (OSError, http.client.HTTPException, ValueError, LookupError, TypeError)


def fields(reason):
    field = ("Retry-After", "5") if reason == "unfit" else ("WWW-Authenticate", 'Bearer error="invalid_token"')
    return [field, ("X-Revoked-Reason", reason)]


class Revocations:
    ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
    PAGE = 10_000  # Entries of an answer, 1.5 MB. Between two answers it asks again at once.
    SKEW = 60  # Seconds that the clock which issues JWTs may be ahead of this one.

    def __init__(self, url, token=None, mode="feed", max_age=120, fail_open=False, timeout=2):
        if mode not in ("feed", "ask") or not (max_age > 0 and timeout > 0):
            raise ValueError('mode is "feed" or "ask"; max_age and timeout are seconds, more than 0')
        self.url, self.mode, self.max_age, self.fail_open, self.timeout = url, mode, max_age, fail_open, timeout
        self.headers = {"X-Revoked-Token": token} if token else {}
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # No proxy from the environment.
        self.expiry = {}  # Session id: until when it is refused, in seconds since 1970.
        self.cut_offs = {}  # Claim and id: what was issued until when is refused, and until when that counts.
        self.current_at = -math.inf  # When everything was known.
        self.cursor, self.problem, self.sweep_at = "", None, 0  # The problem: why revoked cannot be read at present.
        self.ready = threading.Event()  # Everything was read, or could not be.
        (threading.Thread(target=self._follow, daemon=True).start if mode == "feed" else self.ready.set)()

    def check(self, claims):
        reason = self._reason(claims or {})
        return None if reason == "unfit" and self.fail_open else reason, time.monotonic() - self.current_at

    def wsgi(self, application, claims_of):
        def guard(environ, start_response):
            reason, _ = self.check(claims_of(environ))
            if reason is None:
                return application(environ, start_response)
            start_response("503 Unavailable" if reason == "unfit" else "401 Unauthorized", fields(reason))
            return []
        return guard

    def asgi(self, application, claims_of):
        async def guard(scope, receive, send):
            reason = scope["type"] != "lifespan" and (await asyncio.to_thread(self.check, claims_of(scope)))[0]
            if not reason:
                return await application(scope, receive, send)
            if scope["type"] == "websocket":
                return await send({"type": "websocket.close"})
            headers = [(name.lower().encode(), value.encode()) for name, value in fields(reason)]
            status = 503 if reason == "unfit" else 401
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body"})
        return guard

    def _reason(self, claims):
        names = ("sid", "originalSid", "sub", "environment_id")
        ids = {name: claims[name] for name in names if claims.get(name) is not None}
        if "sid" not in ids:
            return "no-session"
        for name, id in ids.items():
            if not isinstance(id, str) or (name in ("sid", "originalSid") and not self.ID.fullmatch(id)):
                return "unreadable"
        now, iat = time.time(), claims.get("iat")
        if self.mode == "ask":
            return self._ask(dict(ids, iat=iat))
        if any(self.expiry.get(ids[name].lower(), 0) > now for name in ("sid", "originalSid") if name in ids):
            return "revoked"
        for name, id in ids.items():
            before, until = self.cut_offs.get((name, id.lower()), (0, 0))
            # An iat that is missing or lies ahead cannot be believed.
            if until > now and not (type(iat) in (int, float) and before < iat // 1 and iat <= now + self.SKEW):
                return "cut-off"
        return "unfit" if time.monotonic() - self.current_at > self.max_age else None

    def _ask(self, token):
        try:
            with self._open("/v1/tokens/check", self.timeout, json.dumps({"tokens": [token]}).encode()) as answer:
                result = json.load(answer)["results"][0]
            self.current_at = time.monotonic()
            self._note(None)
            return None if result["refused"] is False else result["reason"]
        except PROBLEMS as error:
            self._note(error)
            return "unfit"

    def _follow(self):
        while True:
            try:
                self._read()
                self._note(None)
            except PROBLEMS as error:
                if getattr(error, "code", None) == 410:  # A backup was restored. Read all again; nothing un-revokes.
                    self.cursor = ""
                self._note(error)
                time.sleep(1)
            if self.problem or self.current_at > -math.inf:
                self.ready.set()

    def _read(self):
        wait = int(max(1, min(25, self.max_age / 3)))  # Well below max_age, since nothing is known while it waits.
        path, end = f"/v1/revocations?limit={self.PAGE}&wait={wait}&after={self.cursor}", None
        with self._open(path, wait + 5) as answer:
            answered_at = time.monotonic()
            for line in answer:
                entry = json.loads(line)  # A line that was cut raises.
                end = entry.get("end")
                if end is None:
                    self._remember(entry)
                self.cursor = entry["cursor"]
        if end is None:  # Every whole answer ends with such a line, whatever stands between.
            raise ValueError("the answer was cut")
        if end == "complete":
            self.current_at = answered_at
        if time.time() >= self.sweep_at:
            now, self.sweep_at = time.time(), time.time() + 3600
            self.expiry = {session: until for session, until in self.expiry.items() if until > now}
            self.cut_offs = {key: times for key, times in self.cut_offs.items() if times[1] > now}

    def _remember(self, entry):
        texts = (entry.get("before", entry["expiresAt"]), entry["expiresAt"])
        before, until = (datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() for text in texts)
        if "sessionId" in entry:
            self.expiry[entry["sessionId"]] = max(until, self.expiry.get(entry["sessionId"], 0))
            return
        key = ("sub", entry["userId"]) if "userId" in entry else ("environment_id", entry["environmentId"])
        known = self.cut_offs.get(key, (0, 0))
        self.cut_offs[key] = (max(known[0], before), max(known[1], until))

    def _open(self, path, timeout, body=None):
        return self.opener.open(urllib.request.Request(self.url + path, body, self.headers), timeout=timeout)

    def _note(self, error):
        problem = error and f"revoked cannot be read: {str(error) or type(error).__name__}"
        if problem != self.problem:
            logging.getLogger("revocations").warning(problem or "revoked is read again")
        self.problem = problem
