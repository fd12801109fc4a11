// The page: asks the server by itself, shows what it says, and gives it orders.
import { byId, clock, element, plural, say, span, visible } from "./text.js";
import { Refused, get, hasToken, lines, needsToken, now, post, setToken } from "./server.js";
import { showHour, showNow, troubles } from "./now.js";
import { Rows, eventRow } from "./rows.js";
import { confirm } from "./confirm.js";
import * as deadLetters from "./dead.js";

const PAUSE = 5000; // Between two looks, in milliseconds.
const SOME_LOOKS = 3; // The hour and the lists are asked for at every third look.

let status = null; // As /v1/status said last.
let answeredAt = null; // By this machine's clock.
let problem = null; // Why the last look failed.
let hour = []; // The minutes of /v1/history.
let isPaused = false;
let looks = 0;
let timer;

const events = new Rows("events", { path: "v1/events", key: (item) => item.seq, make: (item) => eventRow(item, lookUp) });

let announced = ""; // The title that a screen reader was told last.

function showState() {
  const undecodable = deadLetters.dead.items.filter((item) => !item.handler).length;
  const found = troubles({ status, problem, answeredAt, undecodable, hour });
  const worst = found.some(([kind]) => kind === "bad") ? "bad" : found.length > 0 ? "warn" : "good";
  const title = problem !== null ? "No answer"
    : status === null ? "…"
    : !status.ready ? "Not ready" : found.length === 0 ? "Ready. All is well."
    : `Ready, with ${plural(found.length, "thing")} to look at`;
  byId("state").className = worst;
  say(byId("state-title"), title);
  const texts = found.map(([, text]) => visible(text));
  if (JSON.stringify(texts) !== byId("troubles").dataset.texts) {
    byId("troubles").dataset.texts = JSON.stringify(texts);
    byId("troubles").replaceChildren(...texts.map((text) => element("li", {}, text)));
  }
  document.title = `${worst === "good" ? "" : worst === "warn" ? "(!) " : "✗ "}${title} – revoked`;
  document.body.classList.toggle("old", problem !== null && status !== null);
  // Said aloud when it changes, not at each look.
  if (title !== announced) say(byId("announcement"), announced === "" ? "" : title);
  announced = title;
}

// One session

async function lookUp(id) {
  byId("session").value = id;
  byId("session").scrollIntoView({ block: "nearest" });
  const show = (style, ...parts) => byId("verdict").replaceChildren(element("p", { class: `verdict ${style}` }, ...parts));
  try {
    const answer = await get(`v1/sessions/${encodeURIComponent(id)}`);
    if (!answer.revoked) {
      show("good", element("strong", {}, "Not refused. "),
        "Orders against a whole user or environment are not seen by a session's id alone.");
      return;
    }
    show("bad", element("strong", {}, "Refused "), "since ", clock(answer.revokedAt), ` by ${answer.by}.`);
    const [event] = await lines(`v1/events?session=${encodeURIComponent(id)}`);
    if (event) byId("verdict").append(element("ul", { class: "rows" }, element("li", {}, ...eventRow(event, lookUp))));
  } catch (error) {
    show("", `Not known: ${error.message}`);
  }
}

byId("look-up").addEventListener("submit", (event) => {
  event.preventDefault();
  lookUp(byId("session").value.trim());
});

byId("order").addEventListener("submit", async (event) => {
  event.preventDefault();
  const kind = byId("order-kind");
  const id = byId("order-id").value.trim().toLowerCase();
  const isEnvironment = kind.value === "environmentId";
  const isSure = await confirm({
    title: `Refuse ${kind.selectedOptions[0].textContent.toLowerCase()}?`,
    text: `${id}: ${kind.value === "sessionId" ? "the session is refused" : "every token issued until now is refused"} from now on. `
      + "Nothing takes it back. It is not passed on to Dynamic.",
    yes: "Refuse",
    typed: isEnvironment ? id : undefined,
  });
  if (!isSure) return;
  try {
    const answer = await post("v1/revocations", { [kind.value]: id });
    say(byId("order-result"), answer.status === "duplicate" ? "It was refused before." : "Refused from now on.");
    byId("order").reset();
    look(true);
  } catch (error) {
    say(byId("order-result"), `Not done: ${error.message}`);
  }
});

// Looking

function askForToken(text) {
  clearTimeout(timer);
  status = null;
  byId("content").hidden = true;
  byId("state").hidden = true;
  byId("token-form").hidden = false;
  byId("token-forget").hidden = true;
  say(byId("token-problem"), text);
  byId("token").focus();
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("token").value.trim();
  // What no field of a header can carry is no token either.
  if (!/^[\x21-\x7e]+$/.test(text)) return say(byId("token-problem"), "That is not the token.");
  setToken(text);
  byId("token").value = "";
  looks = 0;
  look(true);
});
byId("token-forget").addEventListener("click", () => {
  setToken(null);
  askForToken("");
});
byId("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  byId("pause").setAttribute("aria-pressed", String(isPaused));
  look(!isPaused);
});

let current = 0;

// `isWhole`: the lists as well.
async function look(isWhole) {
  clearTimeout(timer);
  if (needsToken && !hasToken()) return askForToken("");
  const number = ++current;
  if (!isPaused || isWhole) {
    try {
      const answer = await get("v1/status");
      if (number !== current) return;
      [status, problem, answeredAt] = [answer, null, Date.now()];
      showNow(status);
      deadLetters.showDeadCount(status.handlers);
      showState();
      byId("token-form").hidden = true;
      byId("state").hidden = false;
      byId("content").hidden = false;
      byId("token-forget").hidden = !needsToken;
      if (isWhole || looks % SOME_LOOKS === 0) {
        hour = (await get("v1/history")).minutes;
        showHour(hour);
        await Promise.all([deadLetters.refresh(), events.refresh()]);
        showState();
      }
      looks += 1;
    } catch (error) {
      if (number !== current) return;
      if (error instanceof Refused && error.status === 401) {
        const wasWrong = hasToken();
        setToken(null);
        return askForToken(wasWrong ? "That is not the token of this server." : "");
      }
      problem = error.name === "TimeoutError" ? "it takes too long" : error.message;
      byId("state").hidden = false;
      showState();
    }
  }
  // Not while nobody sees it.
  if (number === current && !document.hidden) timer = setTimeout(() => look(false), PAUSE);
}

document.addEventListener("visibilitychange", () => document.hidden || look(true));
setInterval(() => {
  say(byId("updated"), answeredAt === null || status === null ? "" : isPaused
    ? `as of ${span((Date.now() - answeredAt) / 1000)} ago` : `${new Date(now()).toISOString().slice(11, 19)}`);
  if (problem !== null) showState();
}, 1000);
document.body.classList.toggle("read-only-page", !needsToken);
deadLetters.start(() => look(true));
look(true);
