// Dead letters: which are selected, and what is done with them.
import { byId, number, plural, say } from "./text.js";
import { lines, post } from "./server.js";
import { Rows, deadRow } from "./rows.js";
import { confirm } from "./confirm.js";

const MOST_IDS = 1000; // In one order.

export const dead = new Rows("dead", {
  path: "v1/dead-letters", key: (item) => item.id, make: (item) => deadRow(item, showSelection), changed: showSelection,
});

// Every dead letter, also those that are not shown.
let isAllOfThem = false;

const boxes = () => [...byId("dead").querySelectorAll("input")];
const selectedIDs = () => dead.items.filter((_, index) => boxes()[index]?.checked).map((item) => item.id);

// Those of the handlers; how many cannot be decoded only /metrics counts.
export function showDeadCount(handlers) {
  const count = (handlers ?? []).reduce((sum, handler) => sum + handler.dead, 0);
  say(byId("dead-count"), count > 0 ? number(count) : "");
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
let whenChanged = () => {};

// `done` is called once dead letters were changed.
export function start(done) { whenChanged = done; }

// Not while they are being changed: what is selected would go.
export async function refresh() {
  if (!isChanging) await dead.refresh();
}

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
  whenChanged();
}

byId("dead-replay").addEventListener("click", () => change("replay", "Replay", "Put back"));
byId("dead-discard").addEventListener("click", () => change("discard", "Discard", "Discarded"));
