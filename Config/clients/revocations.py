#!/usr/bin/env python3
"""The set of revoked sessions inside your own process, fed by revoked's GET /v1/revocations. Python 3.7, standard library.

    revocations = Revocations("http://127.0.0.1:8081", token=None, max_age=120)
    if revocations.refuses(claims["sid"], claims.get("originalSid")): answer 401

It survives revoked's downtime: what it knows it goes on refusing, and for max_age seconds it lets the others pass. From then
on, and before it has read everything once, it refuses everybody; math.inf never does that, at the price that who is revoked
meanwhile stays in. What keeps it from reading it logs, once. As a program it answers for the session ids on its standard input,
once it has read everything or could not: revocations.py URL [MAX-AGE], with the token, if any, in REVOKED_PRIVATE_TOKEN.
"""
import http.client, json, logging, math, os, re, sys, threading, time, urllib.error, urllib.request
from datetime import datetime


class Revocations:
    ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    PAGE = 10_000  # Entries of an answer, 1.5 MB: an answer that was cut off costs no more than that again.

    def __init__(self, url, token=None, max_age=120):
        self.url, self.max_age = url, max_age
        self.wait = int(max(1, min(25, max_age / 3)))  # Well below max_age, since nothing is known while it waits.
        self.headers = {"X-Revoked-Token": token} if token else {}
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # No proxy from the environment.
        self.expiry = {}  # Session id: until when, in seconds since the epoch.
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

    def refuses(self, *sessions):
        """Whether one of them is revoked or malformed, or that cannot be told any more. None is no session."""
        now, given = time.time(), [session for session in sessions if session is not None]
        return self.age > self.max_age or any(not self.ID.fullmatch(str(s)) or self.expiry.get(s, 0) > now for s in given)

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
            logging.getLogger("revocations").warning("the feed %s", f"cannot be read: {problem}" if problem else "is read again")
        self.problem = problem
        if problem or self.current_at > -math.inf:
            self.heard.set()

    def _ask(self):
        after = f"&after={self.cursor}" if self.cursor else ""
        url = f"{self.url}/v1/revocations?limit={self.PAGE}&wait={self.wait}{after}"
        with self.opener.open(urllib.request.Request(url, headers=self.headers), timeout=self.wait + 5) as answer:
            entries = [json.loads(line) for line in answer.read().splitlines()]  # One that is cut off raises.
        for entry in entries:
            expires = datetime.fromisoformat(entry["expiresAt"].replace("Z", "+00:00")).timestamp()
            self.expiry[entry["sessionId"]] = max(expires, self.expiry.get(entry["sessionId"], 0))
            self.cursor = entry["cursor"]
        if len(entries) < self.PAGE:
            self.current_at = time.monotonic()
        if time.time() >= self.sweep_at:
            now = time.time()
            self.expiry, self.sweep_at = {s: e for s, e in self.expiry.items() if e > now}, now + 3600


if __name__ == "__main__":
    age = float(sys.argv[2]) if len(sys.argv) > 2 else 120
    revocations = Revocations(sys.argv[1], os.environ.get("REVOKED_PRIVATE_TOKEN"), age)
    revocations.heard.wait(60)
    for line in sys.stdin:
        print("refused" if revocations.refuses(line.strip()) else "passes", f"age={revocations.age:.0f}", flush=True)
