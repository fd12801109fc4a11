// What the server says of itself: what is wrong, the tiles, the handlers and the last hour.
import { byId, bytes, clock, element, number, plural, say, span, visible } from "./text.js";
import { secondsSince } from "./server.js";
import { draw } from "./chart.js";

const LOW_DISK = 1e9; // Bytes; as in Config's alerts.
const LATE = 300; // Seconds, for the oldest event that waits.
const DAY = 86_400; // Seconds.

// How many deliveries of these minutes had an outcome that counts.
const deliveries = (hour, counts) => hour.flatMap((row) => Object.entries(row.deliveries))
  .reduce((sum, [outcome, count]) => counts(outcome) ? sum + count : sum, 0);

// Pairs of `bad` or `warn` and a sentence.
export function troubles({ status, problem, answeredAt, undecodable, hour }) {
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
  if (!status.lastSigned && !webhook?.enabled && secondsSince(status.store.createdAt) > DAY) {
    found.push(["warn", "No delivery of Dynamic is known, and the store is older than a day. Is the webhook registered there?"]);
  }
  const refused = deliveries(hour, (outcome) => outcome === "refused");
  if (refused > 2 && deliveries(hour, (outcome) => !["refused", "unverified"].includes(outcome)) === 0) {
    found.push(["warn", `In the last hour ${number(refused)} deliveries were refused as not signed, and no genuine one came: forgeries, or a wrong secret`]);
  }
  if (webhook?.failedMessages) {
    found.push(["warn", `${plural(webhook.failedMessages, "message")} of Dynamic could not be delivered and wait to be fetched`]);
  }
  for (const handler of status.handlers ?? []) {
    if (handler.oldestPendingSeconds > LATE) {
      found.push(["warn", `${handler.handler} has not finished an event for ${span(handler.oldestPendingSeconds)}`]);
    }
    if (handler.dead) found.push(["warn", `${handler.handler} gave ${plural(handler.dead, "event")} up, see dead letters`]);
  }
  if (undecodable) found.push(["warn", `${undecodable === 1 ? "A delivery" : `${number(undecodable)} deliveries`} of Dynamic cannot be decoded, see dead letters`]);
  if (status.store.freeBytes < LOW_DISK) found.push(["warn", `The disk has ${bytes(status.store.freeBytes)} left`]);
  return found;
}

// The server's clock is known to a second.
function ago(time) {
  const seconds = Math.floor(secondsSince(time));
  return seconds < 1 ? "just now" : `${span(seconds)} ago`;
}

function tile(name, value, style, ...notes) {
  return element("div", {}, element("dt", {}, name), element("dd", { class: `value ${style}` }, value),
    ...notes.filter((note) => note).map((note) => element("dd", { class: "note" }, note)));
}

function webhookTile(webhook) {
  if (!webhook) return tile("Webhook at Dynamic", "not watched", "", "no token for Dynamic's API");
  const checked = webhook.checkedAt ? `checked ${ago(webhook.checkedAt)}` : "not reached yet";
  const since = webhook.since ? `since ${webhook.since.slice(0, 16).replace("T", " ")}` : "";
  const [value, style] = webhook.enabled === undefined ? ["not known", "warn"]
    : webhook.enabled ? ["enabled", webhook.problem ? "warn" : "good"] : ["switched off", "bad"];
  return tile("Webhook at Dynamic", value, style, since, checked);
}

export function showNow({ version, store, handlers, sessions, events, lastSigned, uncleanStarts, webhook }) {
  say(byId("version"), version);
  const starts = uncleanStarts ? plural(uncleanStarts, "unclean start") : "";
  byId("tiles").replaceChildren(
    tile("Last heard of Dynamic", lastSigned ? ago(lastSigned) : "never", "",
      lastSigned ? clock(lastSigned) : "test events do not count"),
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
}

const OUTCOMES = [
  ["accepted", "blue"], ["duplicate", "sky"], ["pong", "teal"], ["ignored", "gray"], ["unverified", "amber"],
  ["undecodable", "violet"], ["refused", "red"], ["unavailable", "red"],
];
const RESULTS = [["not_revoked", "blue"], ["revoked", "violet"], ["no_session", "amber"], ["failed", "red"]];

export function showHour(rows) {
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
