// Bars, one for each minute of the last hour, with a legend and, for who does not see them, a table.
import { element, number } from "./text.js";

const MINUTES = 61;
const HEIGHT = 100;

function shape(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The next number above that starts with 1, 2 or 5.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((digit) => digit * power).find((bound) => bound >= value * 0.999999);
}

const minuteOf = (row) => row.from.slice(11, 16);

// `series`: `[{ name, style, value(row) }]`, the lowest first. `format` writes a value. `summary` is the sentence that
// stands below the title. Totals are shown where a sum means something.
export function draw(figure, { title, rows, series, format = number, summary, hasTotals = true }) {
  const state = JSON.stringify([summary, rows]);
  if (figure.dataset.state === state) return;
  figure.dataset.state = state;

  const valuesOf = (row) => series.map((one) => one.value(row) ?? 0);
  const sums = rows.map((row) => valuesOf(row).reduce((sum, value) => sum + value, 0));
  const most = Math.max(0, ...sums);
  const top = most > 0 ? ceiling(most) : 1;
  const totals = series.map((one) => rows.reduce((sum, row) => sum + (one.value(row) ?? 0), 0));
  const shown = series.filter((one, index) => index === 0 || totals[index] > 0);

  const bars = rows.map((row, index) => {
    const x = MINUTES - rows.length + index;
    let y = HEIGHT;
    const parts = series.flatMap((one) => {
      const height = ((one.value(row) ?? 0) / top) * HEIGHT;
      y -= height;
      return height > 0 ? [shape("rect", { class: one.style, x: x + 0.1, y, width: 0.8, height })] : [];
    });
    const text = shown.map((one) => `${one.name} ${format(one.value(row) ?? 0)}`).join(", ");
    const hit = shape("rect", { class: "hit", x, y: 0, width: 1, height: HEIGHT },
      shape("title", {}, `${minuteOf(row)}: ${text}`));
    return shape("g", {}, ...parts, hit);
  });
  const grid = [0, 0.5, 1].map((part) => shape("line", { x1: 0, x2: MINUTES, y1: part * HEIGHT, y2: part * HEIGHT }));
  const legend = series.length > 1 && element("ul", { class: "legend" }, ...shown.map((one) =>
    element("li", {}, element("span", { class: `swatch ${one.style}` }), `${one.name} `,
      hasTotals && element("b", {}, number(totals[series.indexOf(one)])))));

  const isOpen = figure.querySelector("details")?.open ?? false;
  const table = () => element("table", {},
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Minute"),
      ...shown.map((one) => element("th", { scope: "col" }, one.name)))),
    element("tbody", {}, ...rows.toReversed().map((row) => element("tr", {},
      element("th", { scope: "row" }, minuteOf(row)),
      ...shown.map((one) => element("td", {}, one.value(row) == null ? "–" : format(one.value(row))))))));
  const box = element("div", { class: "scrolled", tabindex: 0, role: "region", "aria-label": `${title}, as a table` });
  const details = element("details", {
    open: isOpen, ontoggle: () => details.open ? box.replaceChildren(table()) : box.replaceChildren(),
  }, element("summary", {}, "As a table"), box);
  if (isOpen) box.append(table());

  figure.replaceChildren(
    element("figcaption", {}, element("h3", {}, title), element("p", { class: "muted" }, summary)),
    element("div", { class: "plot" },
      element("span", { class: "top muted", "aria-hidden": "true" }, most > 0 ? format(top) : ""),
      shape("svg", {
        viewBox: `0 0 ${MINUTES} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}. ${summary}`,
      }, shape("g", { class: "grid" }, ...grid), ...bars)),
    element("div", { class: "axis muted", "aria-hidden": "true" }, ...["−60 min", "−30 min", "now"].map((text) =>
      element("span", {}, text))),
    ...(legend ? [legend] : []), details);
}
