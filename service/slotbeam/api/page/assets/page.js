// What the page does beside links and forms: dry runs while one types, live parts, files that are dropped, keys, times.
"use strict";

const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = shown.format(new Date(time.dateTime));
    time.title = `${time.dateTime} (shown in ${zone})`;
  }
}

// The server's fragment replaces what is there; a session that ended leads to the sign-in.
async function fetched(url, options) {
  const answer = await fetch(url, options);
  if (answer.redirected) location.reload();
  return answer.text();
}

// Nothing was said yet: there is nothing to tell of it, and nothing wrong with it.
function isBlank(form) {
  const said = [...form.querySelectorAll("textarea, input:not([type=hidden], [type=checkbox])")];
  const words = form.elements.words;
  return words?.required ? !words.value.trim() : said.length > 0 && said.every((one) => !one.value.trim());
}

// Times of what is held come in UTC: they are shown, and taken back, in the viewer's zone.
function inViewersZone(form) {
  const zones = form.elements.zone;
  if (!zones || zones.value !== "UTC" || ![...zones.options].some((one) => one.value === zone)) return;
  for (const field of form.querySelectorAll("[type=datetime-local]")) {
    if (!field.value) continue;
    const at = new Date(field.value + "Z");
    field.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  }
  zones.value = zone;
}

function previews(form) {
  const place = document.querySelector("#preview");
  let waiting, asked = 0;
  async function ask() {
    if (isBlank(form)) return;
    const mine = ++asked;
    place.classList.add("busy");
    const text = await fetched(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (mine !== asked) return;  // a later one is on its way
    place.innerHTML = text;
    place.classList.remove("busy");
    localTimes(place);
  }
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 250); });
  ask();
}

// There is always one row more than are filled.
function growing(tests) {
  tests.addEventListener("input", () => {
    const rows = tests.querySelectorAll(".test"), last = rows[rows.length - 1];
    if (!last.querySelector("select").value) return;
    const next = last.cloneNode(true);
    for (const one of next.querySelectorAll("[name]")) {
      one.name = one.name.replace(/\d+$/, rows.length);
      if (one.matches("select")) one.selectedIndex = 0;
      else one.value = "";
    }
    last.after(next);
  });
}

async function refresh() {
  const text = await fetched(location.href);
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(old.dataset.live);
    if (next && next.innerHTML !== old.dataset.was) {
      old.dataset.was = next.innerHTML;
      old.replaceChildren(...next.childNodes);
      localTimes(old);
    }
  }
}

function follow() {
  let first = true;
  const stream = new EventSource("/ops/live");
  stream.addEventListener("change", () => { if (!first) refresh(); first = false; });
}

function dropping(field) {
  const take = (file) => file && file.text().then((text) => { field.value = text; });
  field.addEventListener("dragover", (event) => { event.preventDefault(); field.classList.add("over"); });
  field.addEventListener("dragleave", () => field.classList.remove("over"));
  field.addEventListener("drop", (event) => {
    event.preventDefault();
    field.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  for (const chooser of document.querySelectorAll("[data-into]")) {
    chooser.addEventListener("change", () => take(chooser.files[0]));
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const found = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === event.key);
  if (!found) return;
  event.preventDefault();
  if (found.matches("a")) found.click();
  else found.focus();
});

localTimes(document);
for (const select of document.querySelectorAll("[data-zone]")) select.value = zone;
for (const form of document.querySelectorAll("[data-utc]")) inViewersZone(form);
document.querySelector("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
for (const select of document.querySelectorAll("[data-submit]")) select.addEventListener("change", () => select.form.requestSubmit());
for (const form of document.querySelectorAll("[data-confirm]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.confirm)) event.preventDefault(); });
}
for (const form of document.querySelectorAll("[data-preview]")) previews(form);
for (const tests of document.querySelectorAll(".tests")) growing(tests);
for (const field of document.querySelectorAll(".drop")) dropping(field);
if (document.querySelector("[data-live]")) follow();
