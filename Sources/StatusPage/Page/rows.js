// Lists of events and of dead letters, the newest first. Each keeps its rows' elements while it refreshes, so that
// focus, selection, check marks and open bodies stay where they are.
import { byId, clock, element, indented, plural, say, visible } from "./text.js";
import { get, lines } from "./server.js";

const PAGE = 20;
// More would make the browser slow; `revoked events` and `revoked dead` list all.
const MOST = 1000;

export class Rows {
  // - name: of the list's element; those of its note and its button are made from it.
  // - path: of the route. `key(item)` names an item, `before(item)` is what its next page is asked for with.
  // - make(item): a row's parts, the first of them in the left column.
  constructor(name, { path, key, make, changed = () => {} }) {
    Object.assign(this, { list: byId(name), none: byId(`${name}-none`), more: byId(`${name}-more`), path, key, make, changed });
    this.rows = new Map();
    this.limit = PAGE;
    this.more.addEventListener("click", async () => {
      const last = this.list.lastElementChild;
      this.limit = Math.min(MOST, this.limit + Math.max(PAGE, this.limit));
      await this.refresh();
      // The button may be gone; a keyboard's user goes on with the first row that is new.
      if (this.more.hidden) last?.nextElementSibling?.querySelector("button, input")?.focus();
    });
  }

  get items() { return [...this.rows.values()].map((row) => row.item); }

  async refresh() {
    const limit = this.limit;
    const items = await lines(`${this.path}?limit=${limit}`);
    this.show(items);
    this.more.hidden = items.length < limit || limit >= MOST;
  }

  show(items) {
    const rows = new Map();
    for (const item of items) {
      const key = String(this.key(item));
      const text = JSON.stringify(item);
      let row = this.rows.get(key);
      if (row === undefined) row = { element: element("li") };
      if (row.text !== text) this.fill(row, item, text);
      rows.set(key, row);
    }
    for (const [key, row] of this.rows) if (!rows.has(key)) row.element.remove();
    this.rows = rows;
    let place = this.list.firstChild;
    for (const { element } of rows.values()) {
      if (element === place) place = place.nextSibling;
      else this.list.insertBefore(element, place);
    }
    this.none.hidden = items.length > 0;
    this.changed();
  }

  fill(row, item, text) {
    const old = [...row.element.querySelectorAll("button, input")];
    const focused = old.indexOf(document.activeElement);
    const isChecked = row.element.querySelector("input")?.checked ?? false;
    const body = row.element.querySelector(".body");
    Object.assign(row, { item, text });
    row.element.replaceChildren(...this.make(item));
    if (body) row.element.querySelector(".more").append(body);
    const box = row.element.querySelector("input");
    if (box) box.checked = isChecked;
    row.element.querySelector(".show-body")?.setAttribute("aria-expanded", String(body !== null));
    if (focused >= 0) row.element.querySelectorAll("button, input")[focused]?.focus();
  }
}

// A button that shows and hides the body of an event, which is asked for when it is pressed.
export function bodyButton(seq) {
  const button = element("button", {
    type: "button", class: "show-body", "aria-expanded": "false", "aria-label": `Body of event ${seq}`,
    onclick: async () => {
      const place = button.closest("li").querySelector(".more");
      const shown = place.querySelector(".body");
      if (shown) shown.remove();
      button.setAttribute("aria-expanded", String(!shown));
      if (shown) return;
      const content = element("pre", { tabindex: 0, role: "region", "aria-label": `Body of event ${seq}` }, "…");
      const size = element("span");
      place.append(element("div", { class: "body" },
        element("p", {}, element("strong", {}, "Personal data. "), "It may name the user, wallets, addresses. ", size), content));
      try {
        const event = await get(`v1/events/${seq}`);
        const text = event.body ?? `in base64: ${event.bodyBase64}`;
        say(size, `${new TextEncoder().encode(text).length.toLocaleString("en-US")} bytes.`);
        say(content, visible(indented(text), "\n\t"));
      } catch (error) {
        say(content, error.status === 404 ? "It is not stored any more." : `It cannot be read: ${error.message}`);
      }
    },
  }, "Body");
  return button;
}

const undecoded = (item) => visible(item.name ?? "not decodable");

// `look(id)` looks a session up.
export function eventRow(item, look) {
  const handlers = item.handlers.map((handler) => {
    const style = { dead: "bad", retrying: "warn" }[handler.state] ?? "";
    const attempts = handler.attempts ? `, ${plural(handler.attempts, "attempt")}` : "";
    const next = handler.retryAt ? `, again at ${handler.retryAt.slice(11, 19)}` : "";
    return element("span", { class: `chip ${style}` }, `${visible(handler.handler)}: ${handler.state}${attempts}${next}`);
  });
  const errors = item.handlers.filter((handler) => handler.error).map((handler) =>
    element("div", { class: "error" }, `${visible(handler.handler)}: ${visible(handler.error)}`));
  return [
    element("span", { class: "muted" }, `${item.seq}`),
    element("div", { class: "what" },
      element("span", { class: "name" }, undecoded(item)),
      item.sessionId && element("button", {
        type: "button", class: "link id", "aria-label": `Look up session ${item.sessionId}`, onclick: () => look(item.sessionId),
      }, item.sessionId),
      element("span", { class: "muted" }, `${item.source}, `, clock(item.receivedAt)), ...handlers),
    bodyButton(item.seq),
    element("div", { class: "more" }, item.problem && element("div", { class: "error" }, visible(item.problem)), ...errors),
  ];
}

export function deadRow(item, selected) {
  const box = element("input", { type: "checkbox", class: "writable", "aria-label": `Dead letter ${item.id}`, onchange: selected });
  return [
    element("span", {}, box),
    element("div", { class: "what" },
      element("span", { class: "name" }, undecoded(item)),
      element("span", { class: "id" }, item.id),
      element("span", { class: "muted" },
        item.handler ? `given up after ${plural(item.attempts, "attempt")}, ` : "", clock(item.diedAt))),
    bodyButton(item.seq),
    element("div", { class: "more" }, element("div", { class: "error" }, visible(item.error))),
  ];
}
