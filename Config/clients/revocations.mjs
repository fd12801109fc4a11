// Asks revoked whether a session is refused. Node 18, no dependency; also Deno, Bun, Next.js. Types: revocations.d.mts
//
//     const revocations = new Revocations({ url: "http://127.0.0.1:8081" });
//     await revocations.ready;                          // once, before the application listens
//     const verdict = await revocations.check(claims);  // the claims of a JWT that the application has verified
//
//     Express   app.use(revocations.express((request) => request.auth));
//     Fastify   app.addHook("preHandler", async (request, reply) => {
//                 const { refused, status, headers } = await revocations.check(request.user);
//                 if (refused) return reply.code(status).headers(headers).send();
//               });
//     Next.js   in middleware.ts, with mode "ask", because nothing stays in memory there:
//                 const verdict = await revocations.check((await jwtVerify(token, keys)).payload);
//                 if (verdict.refused) return new NextResponse(null, verdict);
//
// Mode "feed" keeps all revoked sessions and cut-offs in memory. While revoked is away, it goes on refusing what it
// knows, and lets the others pass for `maxAge` seconds. Mode "ask" sends each question to revoked. Where the answer is
// not known, `check` refuses with status 503, or lets pass with `failOpen`.

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PAGE = 10_000; // Entries of an answer, 1.5 MB. Between two answers it asks again at once.
const SKEW = 60; // Seconds that the clock which issues JWTs may be ahead of this one.
const now = () => Date.now() / 1000;
const lowerCase = (id) => String(id).toLowerCase();
const isID = (id) => typeof id === "string" && ID.test(id);

export class Revocations {
  #options;
  #expiry = new Map(); // Session id: until when it is refused, in seconds since 1970.
  #cutOffs = new Map(); // Claim and id: refused if issued until `before`, and until when that counts.
  #cursor = "";
  #currentAt = -Infinity; // When everything was known, by the process's own clock.
  #sweepAt = 0;
  problem = ""; // Why revoked cannot be read at present; empty while it can.

  constructor({ url, token, mode = "feed", maxAge = 120, failOpen = false, timeout = 2, log = console.warn }) {
    if (!["feed", "ask"].includes(mode) || !(maxAge > 0 && timeout > 0))
      throw new TypeError('mode is "feed" or "ask"; maxAge and timeout are seconds, more than 0');
    this.#options = { url: url.replace(/\/+$/, ""), token, mode, maxAge, failOpen, timeout, log };
    this.ready = new Promise((heard) => (mode === "feed" ? this.#follow(heard) : heard()));
  }
  get age() { return (performance.now() - this.#currentAt) / 1000; }

  async check(claims) {
    const reason = await this.#reason(claims ?? {});
    const refused = reason !== undefined && !(reason === "unfit" && this.#options.failOpen);
    const unfit = { status: 503, headers: { "Retry-After": "5", "X-Revoked-Reason": "unfit" } };
    const headers = { "WWW-Authenticate": 'Bearer error="invalid_token"', "X-Revoked-Reason": `${reason}` };
    return { refused, reason, age: this.age, ...(reason === "unfit" ? unfit : { status: 401, headers }) };
  }

  express(claimsOf) {
    return async (request, response, next) => {
      const { refused, status, headers } = await this.check(claimsOf(request));
      refused ? response.writeHead(status, headers).end() : next();
    };
  }

  #reason(claims) {
    if (claims.sid == null) return "no-session";
    const areTexts = [claims.sub, claims.environment_id].every((id) => typeof (id ?? "") === "string");
    if (!isID(claims.sid) || !isID(claims.originalSid ?? claims.sid) || !areTexts) return "unreadable";
    return this.#options.mode === "ask" ? this.#ask(claims) : this.#find(claims);
  }

  #find({ sid, originalSid, iat, ...claims }) {
    if ([sid, originalSid].some((id) => this.#expiry.get(lowerCase(id)) > now())) return "revoked";
    for (const claim of ["sub", "environment_id"]) {
      const cutOff = this.#cutOffs.get(`${claim} ${lowerCase(claims[claim])}`);
      // An `iat` that is missing or lies ahead cannot be believed.
      const isLater = typeof iat === "number" && Math.floor(iat) > cutOff?.before && iat <= now() + SKEW;
      if (cutOff?.until > now() && !isLater) return "cut-off";
    }
    return this.age <= this.#options.maxAge ? undefined : "unfit";
  }

  async #ask({ sid, originalSid, sub, environment_id, iat }) {
    try {
      const token = { sid, originalSid, sub, environment_id, iat };
      const body = JSON.stringify({ tokens: [token] }, (_, value) => value ?? undefined);
      const answer = await this.#fetch("/v1/tokens/check", this.#options.timeout, { method: "POST", body });
      const [{ refused, reason }] = (await answer.json()).results;
      this.#currentAt = performance.now();
      this.#note("");
      return refused === false ? undefined : reason ?? "revoked";
    } catch (error) {
      this.#note(error);
      return "unfit";
    }
  }

  async #follow(heard) {
    for (;;) {
      await this.#read().then(() => this.#note(""), async (error) => {
        this.#note(error);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      });
      if (this.problem || this.age < Infinity) heard();
    }
  }

  async #read() {
    // Well below maxAge, since nothing is known while it waits.
    const wait = Math.floor(Math.max(1, Math.min(25, this.#options.maxAge / 3)));
    const answer = await this.#fetch(`/v1/revocations?limit=${PAGE}&wait=${wait}&after=${this.#cursor}`, wait + 5);
    const answeredAt = performance.now();
    let end, rest = "";
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const entry of lines.map((line) => JSON.parse(line))) {
        end = entry.end;
        if (!end) this.#remember(entry);
        this.#cursor = entry.cursor;
      }
    }
    // Every whole answer ends with such a line, whatever the version of HTTP and the proxies between.
    if (!end) throw new Error("the answer was cut");
    if (end === "complete") this.#currentAt = answeredAt;
    if (now() < this.#sweepAt) return;
    this.#sweepAt = now() + 3600;
    for (const [id, until] of this.#expiry) if (until <= now()) this.#expiry.delete(id);
    for (const [key, { until }] of this.#cutOffs) if (until <= now()) this.#cutOffs.delete(key);
  }

  #remember({ sessionId, userId, environmentId, before, expiresAt }) {
    const until = Date.parse(expiresAt) / 1000;
    if (sessionId) return this.#expiry.set(sessionId, Math.max(until, this.#expiry.get(sessionId) ?? 0));
    const key = userId ? `sub ${userId}` : `environment_id ${environmentId}`;
    const known = this.#cutOffs.get(key) ?? { before: 0, until: 0 };
    const latest = Math.max(known.before, Date.parse(before) / 1000);
    this.#cutOffs.set(key, { before: latest, until: Math.max(known.until, until) });
  }

  async #fetch(path, seconds, init) {
    const headers = this.#options.token ? { "X-Revoked-Token": this.#options.token } : {};
    const signal = AbortSignal.timeout(seconds * 1000);
    const answer = await fetch(this.#options.url + path, { ...init, headers, signal, redirect: "error" });
    if (answer.status === 410) this.#cursor = ""; // A backup was restored: read all again. Nothing un-revokes.
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer;
  }

  #note(error) {
    const problem = error && `revoked cannot be read: ${error.cause ?? error}`;
    if (problem !== this.problem) this.#options.log(problem || "revoked is read again");
    this.problem = problem;
  }
}
