#!/usr/bin/env python3
"""The set of revoked sessions inside your own process, fed by revoked's GET /v1/revocations. Python 3.7, standard library.

    revocations = Revocations("http://127.0.0.1:8081", token=None, max_age=120)
    if revocations.refuses(claims): answer 401          # claims: those of the JWT that you have verified

It survives revoked's downtime: what it knows it goes on refusing, and for max_age seconds it lets the others pass. From then
on, and before it has read everything once, it refuses everybody; math.inf never does that, at the price that who is revoked
meanwhile stays in. What keeps it from reading it logs, once. As a program it answers for what stands on each line of its
standard input, a session id or the claims as JSON, once it has read everything or could not: revocations.py URL [MAX-AGE],
with the token, if any, in REVOKED_PRIVATE_TOKEN.
"""
import http.client, json, logging, math, os, re, sys, threading, time, urllib.error, urllib.request
from datetime import datetime


class Revocations:
    ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    PAGE = 10_000  # Entries of an answer, 1.5 MB. Between two answers it asks again at once.
    SKEW = 60  # Seconds that the clock which issues JWTs may be ahead of this one.

    def __init__(self, url, token=None, max_age=120):
        self.url, self.max_age = url, max_age
        self.wait = int(max(1, min(25, max_age / 3)))  # Well below max_age, since nothing is known while it waits.
        self.headers = {"X-Revoked-Token": token} if token else {}
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # No proxy from the environment.
        self.expiry = {}  # Session id: until when, in seconds since the epoch.
        self.cut_offs = {}  # Claim and id: what was issued until when is refused, and until when.
        self.cursor = None
        self.current_at = -math.inf
        self.sweep_at = 0
        self.problem = None  # Why nothing is read at present; a 401 is a wrong token.
        self.heard = threading.Event()  # All was read once, or could not be.
        threading.Thread(target=self._follow, daemon=True).start()

    @property
    def age(self):
        """Seconds since nothing was missing; infinite before everything was read once."""
        return time.monotonic() - self.current_at

    def refuses(self, claims):
        """Whether a JWT's session is revoked or malformed, its user or environment cut off, or that cannot be told any more."""
        now, sessions = time.time(), [claims.get("sid")] + [claims[c] for c in ("originalSid",) if claims.get(c) is not None]
        return (self.age > self.max_age
                or any(not self.ID.fullmatch(str(s)) or self.expiry.get(s, 0) > now for s in sessions)
                or any(self._is_cut_off(claim, claims, now) for claim in ("sub", "environment_id")))

    def _is_cut_off(self, claim, claims, now):
        before, expires = self.cut_offs.get((claim, str(claims.get(claim))), (0, 0))
        issued = claims.get("iat")  # One that is missing or lies ahead cannot be believed.
        return expires > now and not (isinstance(issued, (int, float)) and before < issued // 1 and issued <= now + self.SKEW)

    def _follow(self):
        while True:
            try:
                self._ask()
                self._note(None)
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                if getattr(error, "code", None) == 410:  # A backup was restored. Read all again; nothing un-revokes.
                    self.cursor = None
                self._note(str(error) or type(error).__name__)
                time.sleep(1)

    def _note(self, problem):
        if problem != self.problem:
            message = f"cannot be read: {problem}" if problem else "is read again"
            logging.getLogger("revocations").warning("the feed %s", message)
        self.problem = problem
        if problem or self.current_at > -math.inf:
            self.heard.set()

    def _ask(self):
        after = f"&after={self.cursor}" if self.cursor else ""
        url = f"{self.url}/v1/revocations?limit={self.PAGE}&wait={self.wait}{after}"
        end = None
        with self.opener.open(urllib.request.Request(url, headers=self.headers), timeout=self.wait + 5) as answer:
            for line in answer:
                entry = json.loads(line)  # A line that was cut raises.
                end = entry.get("end")
                if end is None:
                    self._remember(entry)
                self.cursor = entry["cursor"]
        if end is None:  # Every whole answer ends with such a line, whatever the version of HTTP and the proxies between.
            raise ValueError("the answer was cut")
        if end == "complete":
            self.current_at = time.monotonic()
        if time.time() >= self.sweep_at:
            now = time.time()
            self.expiry, self.sweep_at = {s: e for s, e in self.expiry.items() if e > now}, now + 3600
            self.cut_offs = {key: value for key, value in self.cut_offs.items() if value[1] > now}

    def _remember(self, entry):
        expires = self._seconds(entry["expiresAt"])
        if "sessionId" in entry:
            self.expiry[entry["sessionId"]] = max(expires, self.expiry.get(entry["sessionId"], 0))
            return
        key = ("sub", entry["userId"]) if "userId" in entry else ("environment_id", entry["environmentId"])
        before, until = self.cut_offs.get(key, (0, 0))
        self.cut_offs[key] = (max(before, self._seconds(entry["before"])), max(until, expires))

    @staticmethod
    def _seconds(text):
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    age = float(sys.argv[2]) if len(sys.argv) > 2 else 120
    revocations = Revocations(sys.argv[1], os.environ.get("REVOKED_PRIVATE_TOKEN"), age)
    revocations.heard.wait(60)
    for line in sys.stdin:
        claims = json.loads(line) if line.startswith("{") else {"sid": line.strip()}
        print("refused" if revocations.refuses(claims) else "passes", f"age={revocations.age:.0f}", flush=True)
