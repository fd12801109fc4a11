// Elements and texts. Whatever came over the network becomes a text node, never markup.

export const byId = (id) => document.getElementById(id);

// An element with attributes, listeners (`onclick`) and children: nodes and strings.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null && child !== ""));
  return made;
}

// Sets a text only when it differs, so that a screen reader's place and a selection stay.
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

// Control characters, marks that turn the direction of text, and invisible ones are written as escapes: a name must
// not look like another. `keep`: those that lay out a body.
export function visible(text, keep = "") {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    keep.includes(character) ? character : `\\u{${character.codePointAt(0).toString(16)}}`);
}

// A JSON text with line breaks and indentation. Nothing else is changed, numbers and order included.
export function indented(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let [depth, result] = [0, ""];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|[^\s{}[\],:"]+/gs)) {
    const line = "\n" + "  ".repeat(Math.min(depth, 40));
    if (token === "{" || token === "[") {
      depth += 1;
      result += token + "\n" + "  ".repeat(Math.min(depth, 40));
    } else if (token === "}" || token === "]") {
      depth -= 1;
      result += "\n" + "  ".repeat(Math.min(depth, 40)) + token;
    } else {
      result += token === "," ? "," + line : token === ":" ? ": " : token;
    }
  }
  return result;
}

export const number = (value) => value == null ? "?" : value.toLocaleString("en-US");
export const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

// `2026-11-27 08:41:03`, from RFC 3339 in UTC.
export const clock = (time) => element("time", { datetime: time }, time.slice(0, 19).replace("T", " "));

// Seconds: `1.2 ms`, `34 s`, `5 min`, `3 h`, `2 d`.
export function span(seconds) {
  if (seconds == null) return "–";
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`;
  for (const [unit, size, next] of [["s", 1, 120], ["min", 60, 7200], ["h", 3600, 172_800]]) {
    if (seconds < next) return `${Math.floor(seconds / size)} ${unit}`;
  }
  return `${Math.floor(seconds / 86_400)} d`;
}

export function bytes(count) {
  for (const [unit, size] of [["TiB", 2 ** 40], ["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (count >= size) return `${Number((count / size).toPrecision(3)).toLocaleString("en-US")} ${unit}`;
  }
  return `${count} B`;
}
