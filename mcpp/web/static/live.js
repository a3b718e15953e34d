// Keeps a page as fresh as the server: on an event, the regions it concerns are fetched again and changed in place.
//
// A region is an element with an id and `data-live`: `*` for any event, else the identity of its charge point. With
// `data-live-events` only events of these names concern it; with `data-live-pause` it's asked for that many milliseconds
// after the last time at the soonest, and with `data-live-settle` once more that long after the last event, for what the
// server writes some seconds later. The page is asked for by its own address, with
// `part=ID` for each region; one that knows nothing of parts answers with all of itself, which does as well.

import { format } from "./format.js";

const PAUSE = 300; // ms between two fetches, less than between two writes of the stream
const RETRY = 1500; // ms until a lost connection is tried again
const WHOLE = 60000; // ms until all is asked for again, for what changes without an event
const WHOLE_LIMIT = 40; // regions from which on all is asked for at once
const STREAM = "/api/v1/events?gather=400"; // all pages learn of an event, and ask, in the same moment

const line = document.querySelector("#connection");
const names = (document.body.dataset.events ?? "").split(" ");
const channel = new BroadcastChannel("mcpp-events");

let isWhole = false;
let isFetching = false;
let timer = 0;
let lastFetch = 0;
let isLost = false;
const dirty = new Set();
const fetched = new Map(); // regions with a pause: when they were asked for last
const waiting = new Set();
const settling = new Map();

/** Ask for all of the page again, now. */
export function refresh() {
  isWhole = true;
  return plan();
}

function regions() {
  return document.querySelectorAll("[data-live][id]");
}

function take({ name, charger }) {
  if (name === "gap") return void refresh();
  let isKnown = false;
  let isListed = false;
  for (const region of regions()) {
    const wanted = region.dataset.live;
    if (wanted !== "*") {
      isListed = true;
      if (wanted !== charger) continue;
      isKnown = true;
    }
    const events = region.dataset.liveEvents;
    if (events === undefined || events.split(" ").includes(name)) mark(region);
  }
  // One that the page doesn't show yet, or no longer should.
  const isOfFleet = document.querySelector("[data-live-fleet]") !== null;
  if (isOfFleet && ((!isKnown && isListed) || name === "charge_point_forgotten")) isWhole = true;
  if (dirty.size || isWhole) plan();
}

function mark(region) {
  const { id } = region;
  const settle = Number(region.dataset.liveSettle ?? 0);
  if (settle) {
    clearTimeout(settling.get(id));
    settling.set(id, setTimeout(ask, settle, id));
  }
  const rest = (fetched.get(id) ?? 0) + Number(region.dataset.livePause ?? 0) - Date.now();
  if (rest <= 0) return void dirty.add(id);
  if (waiting.has(id)) return;
  waiting.add(id);
  setTimeout(ask, rest, id);
}

function ask(id) {
  waiting.delete(id);
  dirty.add(id);
  plan();
}

function plan() {
  if (timer || isFetching || document.hidden) return;
  timer = setTimeout(update, Math.max(0, lastFetch + PAUSE - Date.now()));
}

async function update() {
  timer = 0;
  isFetching = true;
  lastFetch = Date.now();
  const parts = isWhole || dirty.size > WHOLE_LIMIT ? null : [...dirty];
  for (const id of parts ?? [...regions()].map((it) => it.id)) fetched.set(id, lastFetch);
  isWhole = false;
  dirty.clear();
  let isDone = false;
  try {
    isDone = await fetchPage(parts);
  } catch {
    // Asked for again below; where the server is gone, the stream says so.
  }
  isFetching = false;
  if (!isDone) {
    isWhole = true;
    timer = setTimeout(update, RETRY);
  } else if (dirty.size || isWhole) plan();
}

/** Whether the server answered. */
async function fetchPage(parts) {
  const address = new URL(location.href);
  address.hash = "";
  for (const part of parts ?? []) address.searchParams.append("part", part);
  const response = await fetch(address, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(15000) });
  if (response.redirected && new URL(response.url).pathname !== location.pathname) {
    location.assign(response.url); // log in
    return false;
  }
  if (response.status >= 500) return false;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  format(fresh);
  if (parts === null) {
    if (programs(fresh) !== programs(document)) location.reload(); // another version of the server
    const main = fresh.querySelector("main");
    if (main) morph(document.querySelector("main"), main);
  } else {
    for (const part of parts) {
      const old = document.getElementById(part);
      const region = fresh.getElementById(part);
      if (old && region) morph(old, region);
      else if (old) isWhole = true;
    }
  }
  const titled = document.querySelector("[data-title]");
  if (titled) document.title = titled.dataset.title;
  return true;
}

function programs(page) {
  return [...page.head.querySelectorAll("script[src]")].map((it) => it.getAttribute("src")).join();
}

/** Make `old` what `fresh` is, keeping the nodes: focus, open details and what somebody types stay. */
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.hasAttribute("data-unfolded") && !fresh.hasAttribute("data-unfolded")) return; // as it was unfolded
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isKept(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isKept(old, name)) old.setAttribute(name, value);
  }
  if (old.hasAttribute("data-live-keep")) return;
  const keyed = new Map([...old.children].filter((it) => it.id).map((it) => [it.id, it]));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = wanted.id && keyed.get(wanted.id);
    if (known) {
      if (known === place) place = place.nextSibling;
      else old.insertBefore(known, place);
      morph(known, wanted);
    } else if (place && isAlike(place, wanted)) {
      const next = place.nextSibling;
      if (place.nodeType === Node.ELEMENT_NODE) morph(place, wanted);
      else if (place.data !== wanted.data) place.data = wanted.data;
      place = next;
    } else {
      old.insertBefore(document.importNode(wanted, true), place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function isKept(element, name) {
  return (
    (name === "open" && (element.localName === "details" || element.localName === "dialog")) ||
    (name === "disabled" && element.hasAttribute("data-busy")) ||
    name === "data-busy" ||
    (name === "hidden" && element.hasAttribute("data-after-conflict")) ||
    (name === "value" && element === document.activeElement)
  );
}

function isAlike(one, other) {
  return (
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && !one.id && !other.id
  );
}

// Most visits command nothing: what does it is loaded with the first command.
async function command(element, submitter) {
  let actions;
  try {
    actions = await import("./actions.js");
  } catch {
    return void sayUnreached();
  }
  await actions.act(element, submitter);
}

/** What a command says where the server is gone, and with it the module that would say so. */
function sayUnreached() {
  const answers = document.querySelector("#answers");
  const note = document.createElement("p");
  note.textContent = answers.dataset.unreached;
  answers.replaceChildren(note);
  setTimeout(() => note.remove(), 8000);
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-request]");
  if (button && !(button.form && button.type === "submit")) command(button);
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-request]")) return;
  event.preventDefault();
  command(event.target, event.submitter);
});
document.addEventListener("mcpp:refresh", ({ detail }) => {
  if (detail) fetchPage([detail]).catch(() => undefined); // a fold isn't asked for by itself
  refresh();
});

// What is folded is asked for once somebody unfolds it.
for (const fold of document.querySelectorAll("details[data-fold]")) {
  fold.addEventListener("toggle", () => {
    if (fold.open && !fold.hasAttribute("data-unfolded")) fetchPage([fold.id]).catch(() => refresh());
  });
}
const named = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
const unfolded = named && named.closest("details");
if (unfolded) unfolded.open = true;

// One stream per browser: whoever holds the lock reads it and tells the others. Browsers lend locks to pages that came
// by TLS or from this machine only; elsewhere each page that is seen has a stream.

let leaving = null;

function lead(signal) {
  return new Promise((resolve) => {
    let stream = null;
    let retry = 0;
    const end = () => {
      clearTimeout(retry);
      stream?.close();
      resolve();
    };
    if (signal.aborted) return end();
    signal.addEventListener("abort", end);
    const open = () => {
      stream = new EventSource(STREAM);
      stream.onopen = () => tell({ name: "open" });
      stream.onerror = () => {
        stream.close();
        if (signal.aborted) return;
        tell({ name: "lost" });
        retry = setTimeout(probe, RETRY);
      };
      for (const name of [...names, "gap"]) stream.addEventListener(name, read);
    };
    // A page that must log in again learns it by asking for itself; a stream only ends.
    const probe = async () => {
      let isBack = false;
      try {
        isBack = await fetchPage(null);
      } catch {
        isBack = false;
      }
      if (signal.aborted) return;
      if (isBack) open();
      else retry = setTimeout(probe, RETRY);
    };
    open();
  });
}

function read(event) {
  const { charge_point_id: charger } = JSON.parse(event.data);
  tell({ name: event.type, charger });
}

function tell(message) {
  channel.postMessage(message);
  hear(message);
}

function hear(message) {
  if (message.name === "lost") {
    isLost = true;
    say(line.dataset.lost, false);
  } else if (message.name === "open") {
    if (isLost) {
      isLost = false;
      say(line.dataset.back, true);
      setTimeout(() => isLost || say("", false), 4000);
    }
    document.documentElement.dataset.live = "yes";
    refresh(); // what happened before the stream began
  } else {
    take(message);
  }
}

function say(text, isBack) {
  line.classList.toggle("back", isBack);
  line.textContent = text;
}

async function listen() {
  leaving?.abort();
  leaving = null;
  if (document.hidden) return;
  const { signal } = (leaving = new AbortController());
  if (!navigator.locks) return void lead(signal);
  try {
    await navigator.locks.request("mcpp-events", { signal }, () => lead(signal));
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

if (document.querySelector("[data-live]")) {
  channel.onmessage = (event) => document.hidden || hear(event.data);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
    listen();
  });
  addEventListener("pagehide", () => leaving?.abort());
  addEventListener("pageshow", (event) => event.persisted && listen());
  setInterval(refresh, WHOLE);
  listen();
}
