// The one script: live updates, keys, selecting spans in place, and charts.
// Every page works without it. State: the version that was last heard of, the last one that the page
// has looked at, and whether it is looking.
"use strict";

const PAUSE_MS = 1000;

// Pages in the background: what a page shows is always what its address says.

async function fetchPage(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function replace(selector, page) {
  const old = document.querySelector(selector);
  const next = page.querySelector(selector);
  if (old && next) old.replaceWith(document.adoptNode(next));
  return next;
}

function show(page) {
  replace("main", page);
  replace("#foot", page);
  document.title = page.title;
  begin();
  // What had the focus is gone with the old page.
  document.getElementById("main").focus({ preventScroll: true });
}

// Live: an event says that something came; the page then looks what that is to it.

let seen = document.body.dataset.version;
let heard = seen;
let looking = false;
let stream = null;

function listen() {
  if (document.hidden || stream) return;
  stream = new EventSource("/live");
  stream.onopen = () => say("live");
  stream.onerror = () => say("not connected, trying again", true);
  stream.onmessage = (event) => {
    heard = event.data;
    look();
  };
}

// A browser opens six connections to a host at most: tabs that nobody sees give theirs back.
function stopListening() {
  if (stream) stream.close();
  stream = null;
}

function say(words, isAway = false) {
  const live = document.getElementById("live");
  live.hidden = false;
  live.textContent = words;
  live.classList.toggle("away", isAway);
}

async function look() {
  if (looking || document.hidden || heard === seen) return;
  looking = true;
  const began = performance.now();
  const asked = heard;
  try {
    if (document.querySelector("[data-list]")) await lookAtList();
    else if (document.querySelector("[data-state]")) await lookAtState();
    else if (document.getElementById("news")) await lookAtNothing();
    seen = asked;
  } catch {
    // The server is away or busy: asked again after the pause.
  } finally {
    // A page that takes long to make is asked for less often.
    const pause = Math.max(PAUSE_MS, 9 * (performance.now() - began));
    setTimeout(() => { looking = false; look(); }, pause);
  }
}

async function lookAtList() {
  const page = await fetchPage(location.href);
  const next = [...page.querySelectorAll("[data-list] tbody tr")];
  const table = document.querySelector("[data-list] tbody");
  const here = new Map([...table.rows].map((row) => [row.dataset.key, row]));
  // Rows that are here are brought up to date where they stand: that moves nothing.
  for (const row of next) {
    const old = here.get(row.dataset.key);
    if (old && differs(old, row) && !old.contains(document.activeElement)) {
      old.replaceWith(document.adoptNode(row.cloneNode(true)));
    }
  }
  const fresh = next.filter((row) => !here.has(row.dataset.key) && isAbove(row, next, here));
  replace("#count", page);
  replace("#foot", page);
  begin();
  if (!fresh.length) return;
  if (mayMove()) prepend(table, fresh, next.length);
  else offer(fresh.length === next.length ? `More than ${fresh.length} new, show` : `${fresh.length} new, show`);
}

// New at the top, not what moved up from the next page because older rows made room.
function isAbove(row, next, here) {
  const place = next.indexOf(row);
  return next.slice(place).some((other) => here.has(other.dataset.key)) || !next.some((other) => here.has(other.dataset.key));
}

function differs(old, row) {
  const plain = (element) => {
    const copy = element.cloneNode(true);
    copy.classList.remove("fresh");
    for (const age of copy.querySelectorAll(".age")) age.textContent = "";
    return copy.innerHTML;
  };
  return plain(old) !== plain(row);
}

// Nothing may jump under a reader's eyes, pointer or focus.
function mayMove() {
  const table = document.querySelector("[data-list]");
  return window.scrollY === 0 && !table.matches(":hover") && !table.contains(document.activeElement)
    && !(getSelection() && String(getSelection()));
}

function prepend(table, fresh, most) {
  for (const row of fresh.reverse()) {
    row.classList.add("fresh");
    table.prepend(document.adoptNode(row));
  }
  while (table.rows.length > most) table.lastElementChild.remove();
}

async function lookAtState() {
  const page = await fetchPage(location.href);
  const old = document.querySelector("[data-state]").dataset.state;
  const next = page.querySelector("[data-state]");
  replace("#foot", page);
  begin();
  if (next && next.dataset.state !== old) offer("Something new, show");
}

async function lookAtNothing() {
  const page = await fetchPage(location.href);
  const isTyping = document.activeElement.closest("form");
  if (page.querySelector("main .empty")) {
    replace("#count", page);
    replace("#foot", page);
    begin();
  } else if (isTyping) offer("Something new, show");
  else show(page);
}

function offer(words) {
  const link = document.getElementById("news");
  link.textContent = words;
  link.href = location.href;
  link.hidden = false;
}

// Spans: selecting one asks for the page that has it selected, and takes the parts that differ.

async function select(link) {
  const address = link.href;
  try {
    const page = await fetchPage(address);
    const focus = link.closest(".waterfall") ? link.dataset.select : "";
    for (const part of [".waterfall tbody", "#span-details", "#logs"]) replace(part, page);
    history.replaceState(null, "", address);
    begin();
    if (focus) document.querySelector(`.waterfall [data-select="${CSS.escape(focus)}"]`)?.focus();
    if (!link.closest(".waterfall") && link.hash) document.querySelector(link.hash)?.scrollIntoView({ block: "nearest" });
  } catch {
    location.href = address;
  }
}

document.addEventListener("click", (event) => {
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  const link = event.target.closest("a");
  if (!isPlain || !link) return;
  if (link.dataset.select !== undefined) {
    event.preventDefault();
    select(link);
  } else if (link.id === "news") {
    event.preventDefault();
    fetchPage(link.href).then(
      (page) => { show(page); window.scrollTo(0, 0); },
      () => { location.href = link.href; },
    );
  }
});

// Keys.

function rows() {
  return [...document.querySelectorAll("main a.open[href]")];
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  all[next].focus({ preventScroll: true });
  all[next].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input, select, textarea");
  if (field) {
    if (event.key === "Escape") field.blur();
    return;
  }
  if (document.getElementById("keys").open) return;
  const inFall = event.target.closest(".waterfall");
  if (event.key === "j" || (inFall && event.key === "ArrowDown")) step(1);
  else if (event.key === "k" || (inFall && event.key === "ArrowUp")) step(-1);
  else if (event.key === "/") document.querySelector("[data-search]")?.focus();
  else if (event.key === "?") document.getElementById("keys").showModal();
  else if (event.key === "n") document.querySelector("#news:not([hidden])")?.click();
  else return;
  event.preventDefault();
});

// Ages grow while a page is open.

const UNITS_S = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

function tellAges() {
  for (const element of document.querySelectorAll("[data-unix-ms]")) {
    const seconds = (Date.now() - Number(element.dataset.unixMs)) / 1000;
    const found = UNITS_S.find(([, size]) => Math.abs(seconds) >= size);
    const words = found ? `${Math.floor(Math.abs(seconds) / found[1]).toLocaleString("en")} ${found[0]}` : "now";
    element.textContent = !found ? words : seconds > 0 ? `${words} ago` : `in ${words}`;
  }
}

// Charts: the figures are data in the page, their colours are those of the theme.

function withColours(value, style) {
  if (typeof value === "string" && value.startsWith("var(--")) return style.getPropertyValue(value.slice(4, -1)).trim();
  if (Array.isArray(value)) return value.map((each) => withColours(each, style));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withColours(each, style)]));
  }
  return value;
}

function drawCharts() {
  if (!window.Plotly) return;
  const style = getComputedStyle(document.documentElement);
  for (const data of document.querySelectorAll("[data-chart]")) {
    const place = document.getElementById(data.dataset.chart);
    const figure = withColours(JSON.parse(data.textContent), style);
    window.Plotly.react(place, figure.data, figure.layout, { displayModeBar: false, responsive: true });
  }
}

// After each change of the page.

function begin() {
  document.documentElement.classList.add("has-script");
  document.getElementById("show-keys").hidden = false;
  tellAges();
  drawCharts();
}

document.getElementById("keys").addEventListener("click", (event) => {
  if (event.target.id === "keys") event.target.close();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("#show-keys")) document.getElementById("keys").showModal();
});
document.addEventListener("visibilitychange", () => (document.hidden ? stopListening() : (listen(), look())));
window.addEventListener("pagehide", stopListening);
window.addEventListener("pageshow", listen);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
setInterval(tellAges, 10_000);
begin();
listen();
