// Learning a card: a minute's countdown, then the card's form for its name.

import { withReason } from "./reason.js";

const form = document.querySelector("form[data-learn]");
const line = form?.querySelector("[data-learning]");
const PAUSE = 1000; // ms between two questions

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await learn(`/api/v1/charge-points/${encodeURIComponent(form.elements.charger.value)}/learn-card`);
  } finally {
    button.disabled = false;
  }
});

async function learn(address) {
  let state = await ask(address, "POST");
  const end = Date.now() + 60000;
  while (state?.state === "waiting") {
    const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    line.textContent = form.dataset.left.replace("{seconds}", seconds);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    state = await ask(address, "GET");
  }
  if (state?.state === "learnt") location.assign(`/people?learnt=${encodeURIComponent(state.id_tag)}`);
  else if (state) line.textContent = form.dataset.over;
}

async function ask(address, method) {
  let response, answer;
  try {
    response = await fetch(address, { method, headers: { Accept: "application/json" } });
    answer = await response.json();
  } catch {
    line.textContent = document.querySelector("#answers").dataset.unreached;
    return null;
  }
  if (response.ok) return answer;
  line.replaceChildren(...withReason(form.dataset.refused, answer));
  return null;
}
