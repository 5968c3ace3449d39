// The search box: asks while one types, and shows what was understood and found. Everything that is told is text.
"use strict";

const WAIT_MS = 120, SHOWN = 20;
const field = document.querySelector("#q"), said = document.querySelector("#said"), hits = document.querySelector("#hits");
let waiting, asking;

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
