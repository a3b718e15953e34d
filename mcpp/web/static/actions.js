// Buttons and forms that ask the API for something, and say what it answered.
//
// <button data-request="POST /api/v1/…" data-body='{"type": "Soft"}' data-ask="Restart Garage?">Restart</button>
// asks once, in a dialog, where there is `data-ask`. <form data-request="PUT /api/v1/people/{id}"> sends its fields as
// JSON, in what `data-body` has, but for those whose names the address takes. The answer is said in the element that
// `data-answer` names by its id, else at the foot of the page; where in the API's answer it stands is named by
// `data-answer-field`; `data-then` is an address to go to afterwards.

// A form's button with a `data-request` of its own asks that, with the form's fields.

// live.js loads this module when the first of them is used.

import { withReason } from "./reason.js";

const answers = document.querySelector("#answers");
const words = answers.dataset;
const SHOWN = 8000; // ms

/** Ask for what a button or form says, and say the answer; `mcpp:refresh` on the document tells that something changed. */
export async function act(element, submitter) {
  if (element.dataset.busy !== undefined) return;
  if (element.dataset.ask && !(await confirmed(element))) return;
  const [method, address] = addressed(element, submitter?.dataset.request ?? element.dataset.request);
  const buttons = element.localName === "form" ? element.querySelectorAll("button") : [element];
  busy(element, buttons, true);
  say(element, words.wait, false);
  try {
    const response = await fetch(address, {
      method,
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: method === "DELETE" || method === "GET" ? undefined : (fields(element) ?? element.dataset.body),
    });
    if (response.status === 401) return void location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
    const text = await response.text();
    const answer = text ? JSON.parse(text) : {};
    if (response.ok) say(element, accepted(answer, element.dataset.answerField), true);
    else refuse(element, answer, response.status);
    if (response.ok && element.dataset.then) location.assign(element.dataset.then);
    else document.dispatchEvent(new CustomEvent("mcpp:refresh", { detail: element.closest("[data-fold]")?.id }));
  } catch {
    say(element, words.unreached, false);
  } finally {
    busy(element, buttons, false);
  }
}

function busy(element, buttons, isBusy) {
  if (isBusy) element.dataset.busy = "";
  else delete element.dataset.busy;
  for (const button of buttons) {
    button.toggleAttribute("data-busy", isBusy);
    button.setAttribute("aria-disabled", String(isBusy));
  }
}

function addressed(element, request) {
  const [method, template] = request.split(" ", 2);
  const path = template.replace(/\{([\w-]+)\}/g, (_, name) => encodeURIComponent(element.elements[name].value));
  return [method, path];
}

function fields(form) {
  if (form.localName !== "form") return undefined;
  const taken = new Set([...form.dataset.request.matchAll(/\{([\w-]+)\}/g)].map((match) => match[1]));
  const values = JSON.parse(form.dataset.body ?? "{}");
  for (const field of form.elements) {
    if (!field.name || taken.has(field.name) || (field.type === "radio" && !field.checked)) continue;
    if (field.type === "checkbox") put(values, field.name, field.checked);
    else if (field.dataset.type === "list") put(values, field.name, listed(field.value));
    else if (field.dataset.type === "clearable") put(values, field.name, field.value || null);
    else if (field.dataset.type === "text") put(values, field.name, field.value);
    else if (field.value === "" && !field.required) continue;
    else if (field.dataset.type === "thousandth") put(values, field.name, Math.round(Number(field.value) * 1000));
    else put(values, field.name, field.dataset.type === "number" ? Number(field.value) : field.value);
  }
  return JSON.stringify(values);
}

/** A name with dots leads into objects and lists. */
function put(values, name, value) {
  const names = name.split(".");
  const last = names.pop();
  for (const each of names) values = values[each] ??= {};
  values[last] = value;
}

/** One a line, or between commas. */
function listed(text) {
  return text.split(/[\n,;]/).map((it) => it.trim()).filter(Boolean);
}

// What a status of OCPP is called: the name of its sentence among the page's words.
const SENTENCES = {
  Accepted: "accepted",
  EmptyResultSet: "nothing",
  NotImplemented: "unable",
  NotSupported: "unable",
  NotSupportedAttributeType: "unable",
  OngoingAuthorizedTransaction: "occupied",
  RebootRequired: "restart",
  Rejected: "rejected",
  Scheduled: "scheduled",
  UnknownComponent: "unknown",
  UnknownConnector: "unknown",
  UnknownVariable: "unknown",
  Unlocked: "unlocked",
  UnlockFailed: "locked",
};

function accepted(answer, where = "response.status") {
  const status = where.split(".").reduce((value, name) => value?.[name], answer);
  if (status === undefined) return words.done;
  return words[SENTENCES[status]] ?? words.answered.replace("{answer}", () => status);
}

/** Say why, and offer what may be done about a conflict: `data-after-conflict` is on the buttons that do. */
function refuse(element, answer, status) {
  say(element, withReason(words.refused, answer), false);
  if (status !== 409) return;
  for (const button of element.querySelectorAll("[data-after-conflict]")) button.hidden = false;
}

/** `said` is a text, or parts of one. */
function say(element, said, isGood) {
  const parts = [said].flat();
  const place = element.dataset.answer && document.getElementById(element.dataset.answer);
  if (place) {
    place.replaceChildren(...parts);
    place.classList.toggle("wrong", !isGood && said !== words.wait);
    return;
  }
  const note = document.createElement("p");
  note.replaceChildren(...parts);
  answers.replaceChildren(note);
  setTimeout(() => note.remove(), SHOWN);
}

function confirmed(element) {
  const dialog = document.querySelector("#ask");
  dialog.querySelector("[data-question]").textContent = element.dataset.ask;
  const yes = dialog.querySelector("[value=yes]");
  yes.textContent = element.dataset.askYes ?? element.textContent.trim();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
