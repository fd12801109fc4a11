// The page: asks the server by itself, shows what it says, and gives it orders.
import { byId, bytes, clock, element, number, plural, say, span, visible } from "./text.js";
import { Refused, get, hasToken, lines, needsToken, now, post, secondsSince, setToken } from "./server.js";
import { draw } from "./chart.js";
import { Rows, deadRow, eventRow } from "./rows.js";

const PAUSE = 5000; // Between two looks, in milliseconds.
const SOME_LOOKS = 3; // The hour and the lists are asked for at every third look.
const LOW_DISK = 1e9; // Bytes; as in Config's alerts.
const LATE = 300; // Seconds, for the oldest event that waits.
const MOST_IDS = 1000; // In one order.

let status = null; // As /v1/status said last.
let answeredAt = null; // By this machine's clock.
let problem = null; // Why the last look failed.
let isPaused = false;
let looks = 0;
let timer;

// What is wrong

function troubles() {
  const found = [];
  if (problem !== null) {
    const since = answeredAt === null ? "" : ` What you see is ${span((Date.now() - answeredAt) / 1000)} old.`;
    found.push(["bad", `The server does not answer this page: ${problem}.${since}`]);
  }
  if (status === null) return found;
  for (const reason of status.reasons) found.push(["bad", `Not ready: ${reason}`]);
  const webhook = status.webhook;
  if (webhook?.enabled === false) found.push(["bad", "The webhook is switched off at Dynamic: nothing comes from there"]);
  if (webhook?.problem) found.push(["warn", `Dynamic: ${webhook.problem}`]);
  if (webhook?.failedMessages) {
    found.push(["warn", `${plural(webhook.failedMessages, "message")} of Dynamic could not be delivered and wait to be fetched`]);
  }
  for (const handler of status.handlers ?? []) {
    if (handler.oldestPendingSeconds > LATE) {
      found.push(["warn", `${handler.handler} has not finished an event for ${span(handler.oldestPendingSeconds)}`]);
    }
    if (handler.dead) found.push(["warn", `${handler.handler} gave ${plural(handler.dead, "event")} up, see dead letters`]);
  }
  const strange = dead.items.filter((item) => !item.handler).length;
  if (strange) found.push(["warn", `${strange === 1 ? "A delivery" : `${number(strange)} deliveries`} of Dynamic cannot be decoded, see dead letters`]);
  if (status.store.freeBytes < LOW_DISK) found.push(["warn", `The disk has ${bytes(status.store.freeBytes)} left`]);
  return found;
}

let announced = "";

function showState() {
  const found = troubles();
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

// Now

function tile(name, value, style, ...notes) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: `value ${style}` }, value),
    ...notes.filter((note) => note).map((note) => element("dd", { class: "note" }, note)));
}

function webhookTile(webhook) {
  if (!webhook) return tile("Webhook at Dynamic", "not watched", "", "no token for Dynamic's API");
  const checked = webhook.checkedAt ? `checked ${span(secondsSince(webhook.checkedAt))} ago` : "not reached yet";
  const since = webhook.since ? `since ${webhook.since.slice(0, 16).replace("T", " ")}` : "";
  const [value, style] = webhook.enabled === undefined ? ["not known", "warn"]
    : webhook.enabled ? ["enabled", webhook.problem ? "warn" : "good"] : ["switched off", "bad"];
  return tile("Webhook at Dynamic", value, style, since, checked);
}

function showNow() {
  const { store, handlers, sessions, events, lastSigned, uncleanStarts, webhook } = status;
  say(byId("version"), status.version);
  const starts = uncleanStarts ? plural(uncleanStarts, "unclean start") : "";
  byId("tiles").replaceChildren(
    tile("Last heard of Dynamic", lastSigned ? `${span(secondsSince(lastSigned))} ago` : "never", "", lastSigned && clock(lastSigned)),
    webhookTile(webhook),
    tile("Sessions refused", number(sessions), ""),
    tile("Events stored", number(events), "", `in a store made ${store.createdAt.slice(0, 10)}`, starts),
    tile("Disk", `${bytes(store.freeBytes)} free`, store.freeBytes < LOW_DISK ? "warn" : "", `the store has ${bytes(store.bytes)}`));
  const rows = (handlers ?? []).map((one) => element("tr", {},
    element("th", { scope: "row" }, visible(one.handler)),
    element("td", {}, number(one.pending)),
    element("td", { class: one.oldestPendingSeconds > LATE ? "warn" : "" }, span(one.oldestPendingSeconds)),
    element("td", { class: one.dead ? "bad" : "" }, number(one.dead))));
  byId("handlers").tBodies[0].replaceChildren(...rows);
  byId("handlers").hidden = rows.length === 0;
  byId("no-handlers").hidden = rows.length > 0 || handlers === undefined;
  showDeadCount();
}

// The last hour

const OUTCOMES = [
  ["accepted", "blue"], ["duplicate", "sky"], ["pong", "teal"], ["ignored", "gray"], ["unverified", "amber"],
  ["undecodable", "violet"], ["refused", "red"], ["unavailable", "red"],
];
const RESULTS = [["not_revoked", "blue"], ["revoked", "violet"], ["no_session", "amber"], ["failed", "red"]];

function showHour(rows) {
  const of = (member, cases) => cases.map(([name, style]) =>
    ({ name: name.replace("_", " "), style, value: (row) => row[member][name] }));
  const total = (member) => rows.reduce((sum, row) => sum + Object.values(row[member]).reduce((a, b) => a + b, 0), 0);
  const perMinute = (member, noun) => `${plural(total(member), noun)} in ${plural(rows.length, "minute")}`;
  draw(byId("deliveries"), {
    title: "Deliveries a minute", rows, series: of("deliveries", OUTCOMES), summary: perMinute("deliveries", "delivery").replace("deliverys", "deliveries"),
  });
  draw(byId("look-ups"), {
    title: "Look-ups a minute", rows, series: of("lookUps", RESULTS), summary: perMinute("lookUps", "look-up"),
  });
  for (const [id, member, title] of [
    ["latency", "revocationLatencySeconds", "From the revocation to the disk"], ["commits", "commitSeconds", "Commit time"],
  ]) {
    const some = rows.map((row) => row[member]).filter((one) => one);
    const count = some.reduce((sum, one) => sum + one.count, 0);
    const mean = some.reduce((sum, one) => sum + one.mean * one.count, 0) / count;
    draw(byId(id), {
      title, rows, series: [{ name: "99 of 100 took at most", style: "teal", value: (row) => row[member]?.p99 ?? row[member]?.mean }],
      format: span, hasTotals: false,
      summary: count === 0 ? "none in this hour" : `${span(mean)} on average. Bars: 99 of 100 took at most this`,
    });
  }
}

// Lists

const events = new Rows("events", { path: "v1/events", key: (item) => item.seq, make: (item) => eventRow(item, lookUp) });
const dead = new Rows("dead", {
  path: "v1/dead-letters", key: (item) => item.id, make: (item) => deadRow(item, showSelection), changed: showSelection,
});

// Every dead letter, also those that are not shown.
let isAllOfThem = false;

const boxes = () => [...byId("dead").querySelectorAll("input")];
const selectedIDs = () => dead.items.filter((_, index) => boxes()[index]?.checked).map((item) => item.id);
// Of the handlers; how many cannot be decoded only /metrics counts.
const deadCount = () => (status?.handlers ?? []).reduce((sum, handler) => sum + handler.dead, 0);

function showDeadCount() {
  say(byId("dead-count"), deadCount() > 0 ? number(deadCount()) : "");
  showSelection();
}

function showSelection() {
  const all = boxes();
  const count = all.filter((box) => box.checked).length;
  const isBeyond = !byId("dead-more").hidden || all.length >= MOST_IDS;
  byId("dead-all").checked = count > 0 && count === all.length;
  byId("dead-all").indeterminate = count > 0 && count < all.length;
  byId("dead-tools").hidden = all.length === 0;
  const beyond = byId("dead-beyond");
  beyond.hidden = !(isBeyond && all.length > 0 && count === all.length);
  if (beyond.hidden) isAllOfThem = false;
  beyond.setAttribute("aria-pressed", String(isAllOfThem));
  say(beyond, "Those not shown as well");
  const what = isAllOfThem ? "all" : count;
  say(byId("dead-replay"), count > 0 ? `Replay ${what}…` : "Replay…");
  say(byId("dead-discard"), count > 0 ? `Discard ${what}…` : "Discard…");
  for (const id of ["dead-replay", "dead-discard"]) byId(id).disabled = count === 0 || isChanging;
}

byId("dead-all").addEventListener("change", (event) => {
  for (const box of boxes()) box.checked = event.target.checked;
  showSelection();
});
byId("dead-beyond").addEventListener("click", () => {
  isAllOfThem = !isAllOfThem;
  showSelection();
});

let isChanging = false;

async function change(route, verb, done) {
  const isAll = isAllOfThem;
  const ids = selectedIDs();
  const what = isAll ? "all dead letters" : plural(ids.length, "dead letter");
  const isDiscard = route === "discard";
  const isSure = await confirm({
    title: `${verb} ${what}?`,
    text: isDiscard
      ? "Their handlers never get these events. The sessions stay refused. Nothing brings them back."
      : "They go back into their handlers' queues and are tried again.",
    yes: `${verb} ${isAll ? "all" : number(ids.length)}`,
    typed: isAll && isDiscard ? "discard all" : undefined,
  });
  if (!isSure) return;
  isChanging = true;
  showSelection();
  let changed = 0;
  const send = async (some) => {
    changed += (await post(`v1/dead-letters/${route}`, { ids: some })).changed;
    say(byId("dead-progress"), `${done} ${number(changed)} so far.`);
  };
  try {
    if (isAll) {
      // Downwards, so that what dies again meanwhile is not met twice.
      for (let before = ""; ;) {
        const page = await lines(`v1/dead-letters?limit=${MOST_IDS}${before}`);
        if (page.length === 0) break;
        await send(page.map((item) => item.id));
        before = `&before=${encodeURIComponent(page.at(-1).id)}`;
      }
    } else {
      for (let start = 0; start < ids.length; start += MOST_IDS) await send(ids.slice(start, start + MOST_IDS));
    }
    say(byId("dead-progress"), `${done} ${plural(changed, "dead letter")}.`);
  } catch (error) {
    say(byId("dead-progress"), `${done} ${number(changed)}, then it failed: ${error.message}`);
  }
  isChanging = false;
  for (const box of boxes()) box.checked = false;
  await look(true);
}

byId("dead-replay").addEventListener("click", () => change("replay", "Replay", "Put back"));
byId("dead-discard").addEventListener("click", () => change("discard", "Discard", "Discarded"));

// Asks a second time. `typed`: what has to be typed for it.
function confirm({ title, text, yes, typed }) {
  const [dialog, field, button] = [byId("confirm"), byId("confirm-typed"), byId("confirm-yes")];
  say(byId("confirm-title"), title);
  say(byId("confirm-text"), text);
  say(button, yes);
  byId("confirm-typed-label").hidden = typed === undefined;
  say(byId("confirm-typed-text"), `Type ${typed} to go on`);
  field.value = "";
  field.oninput = () => { button.disabled = typed !== undefined && field.value.trim().toLowerCase() !== typed; };
  field.oninput();
  byId("confirm-no").onclick = () => dialog.close("no");
  dialog.returnValue = "no";
  button.value = "yes";
  dialog.showModal();
  (typed === undefined ? byId("confirm-no") : field).focus();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
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
      showNow();
      showState();
      byId("token-form").hidden = true;
      byId("state").hidden = false;
      byId("content").hidden = false;
      byId("token-forget").hidden = !needsToken;
      if (isWhole || looks % SOME_LOOKS === 0) {
        showHour((await get("v1/history")).minutes);
        if (!isChanging) await Promise.all([dead.refresh(), events.refresh()]);
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
look(true);
