// The search box: asks while one types, shows what was understood and found, and reports what is clicked. Everything
// that is told is text.
"use strict";

const WAIT_MS = 120, SHOWN = 20;
const field = document.querySelector("#q"), said = document.querySelector("#said"), hits = document.querySelector("#hits");
let waiting, asking, last;

function made(name, text, kind) {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

function understood(answer) {
  const { corrected, unknown } = answer.understood;
  const parts = [`${answer.items.length} items`];
  for (const { from, to } of corrected) parts.push(`${from} read as ${to}`);
  if (unknown.length) parts.push(`unknown: ${unknown.join(", ")}`);
  return parts.join(" · ");
}

function shown(answer) {
  last = answer;
  said.textContent = understood(answer);
  hits.replaceChildren(...answer.items.map((item) => {
    const line = made("li", item.title + " ");
    line.append(made("span", item.source, item.source === "model" ? "tag" : "tag good"));
    line.append(made("small", `${item.id} · ${item.score.toFixed(2)}`));
    return line;
  }));
}

async function ask() {
  clearTimeout(waiting);
  asking?.abort();
  const query = field.value.trim();
  history.replaceState(null, "", query ? `#${encodeURIComponent(query)}` : location.pathname);
  if (!query) {
    said.textContent = "";
    hits.replaceChildren();
    return;
  }
  const mine = asking = new AbortController();
  try {
    const answer = await fetch(`retrieve?q=${encodeURIComponent(query)}&k=${SHOWN}`, { signal: mine.signal });
    const told = await answer.json();
    if (answer.ok) return shown(told);
    said.textContent = told.detail || told.title;
    hits.replaceChildren();
  } catch (error) {
    if (mine.signal.aborted) return;
    said.textContent = "The service does not answer; try again.";
  }
}

field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(ask, WAIT_MS);
});
field.form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
hits.addEventListener("click", (event) => {
  const rank = [...hits.children].indexOf(event.target.closest("li"));
  if (rank < 0) return;
  const clicked = { request_id: last.request_id, type: "click", item_id: last.items[rank].id, rank };
  navigator.sendBeacon("events", JSON.stringify({ events: [clicked] }));
});
document.querySelector("#examples").addEventListener("click", (event) => {
  if (event.target.tagName !== "BUTTON") return;
  field.value = event.target.textContent;
  field.focus();
  ask();
});
try {
  field.value = decodeURIComponent(location.hash.slice(1));
} catch {
  field.value = "";
}
if (field.value) ask();
