export type Claims = {
  sid?: unknown;
  originalSid?: unknown;
  sub?: unknown;
  environment_id?: unknown;
  iat?: unknown;
};

/** `unfit`: the answer is not known. */
export type Reason = "revoked" | "cut-off" | "no-session" | "unreadable" | "unfit";

export type Verdict = {
  refused: boolean;
  /** Why it is refused. Also `unfit` where `failOpen` lets pass. */
  reason?: Reason;
  /** Seconds since everything was known; Infinity before that. */
  age: number;
  /** What to answer if it is refused. */
  status: 401 | 503;
  headers: Record<string, string>;
};

export type Options = {
  /** The private listener, such as `http://127.0.0.1:8081`. */
  url: string;
  /** The private token, if there is one. */
  token?: string;
  /** `feed` unless given. */
  mode?: "feed" | "ask";
  /** Seconds that the memory of mode "feed" counts without news; 120 unless given. */
  maxAge?: number;
  /** Lets pass where the answer is not known. */
  failOpen?: boolean;
  /** Seconds that one question of mode "ask" may take; 2 unless given. */
  timeout?: number;
  /** Takes one line when revoked cannot be read, and one when it can again; `console.warn` unless given. */
  log?: (line: string) => void;
};

export class Revocations {
  constructor(options: Options);
  /** Resolves once everything was read, or could not be. */
  readonly ready: Promise<void>;
  /** Seconds since everything was known; Infinity before that. */
  readonly age: number;
  /** Why revoked cannot be read at present; empty while it can. */
  readonly problem: string;
  /** Never rejects. No claims are refused as `no-session`. */
  check(claims: Claims | null | undefined): Promise<Verdict>;
  /** Middleware of Express and Connect. */
  express<Request>(
    claimsOf: (request: Request) => Claims | null | undefined,
  ): (request: Request, response: any, next: (error?: unknown) => void) => Promise<void>;
}
