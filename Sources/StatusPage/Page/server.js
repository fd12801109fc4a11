// What the server is asked. The token goes into a header of each request; there is no cookie that another site's page
// could have sent along.

const STORED = "revoked-token";

export const needsToken = document.documentElement.dataset.token === "required";
let token = needsToken ? sessionStorage.getItem(STORED) : null;
let skew = 0;

export const hasToken = () => token !== null;

export function setToken(text) {
  token = text;
  if (text === null) sessionStorage.removeItem(STORED);
  else sessionStorage.setItem(STORED, text);
}

// Milliseconds since 1970 by the server's clock, to a second.
export const now = () => Date.now() + skew;
export const secondsSince = (time) => Math.max(0, (now() - Date.parse(time)) / 1000);

export class Refused extends Error {
  // `detail`: the server's own words.
  constructor(status, detail) {
    super(detail ?? `the server answered ${status}`);
    this.status = status;
  }
}

async function send(path, body) {
  const headers = token === null ? {} : { "X-Revoked-Token": token };
  const request = { headers, cache: "no-store", signal: AbortSignal.timeout(30_000) };
  if (body !== undefined) Object.assign(request, { method: "POST", body: JSON.stringify(body) });
  const answer = await fetch(path, request);
  const date = Date.parse(answer.headers.get("Date"));
  if (Math.abs(date - now()) > 2000) skew = date - Date.now();
  if (answer.ok) return answer;
  let detail;
  try {
    detail = (await answer.json()).detail;
  } catch {
    // A proxy's page.
  }
  throw new Refused(answer.status, detail);
}

export const get = async (path) => (await send(path)).json();
export const post = async (path, body) => (await send(path, body)).json();

// JSON lines.
export async function lines(path) {
  const text = await (await send(path)).text();
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
