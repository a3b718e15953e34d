// Making a token: what the server answers is shown once, here, and nowhere kept.

import { withReason } from "./reason.js";

const form = document.querySelector("form[data-token]");

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, role } = form.elements;
  const line = form.querySelector("[data-answer]");
  line.textContent = "";
  let response, answer;
  try {
    response = await fetch("/api/v1/tokens", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ name: name.value, role: role.value }),
    });
    answer = await response.json();
  } catch {
    line.textContent = document.querySelector("#answers").dataset.unreached;
    return;
  }
  if (!response.ok) {
    line.replaceChildren(...withReason(form.dataset.refused, answer));
    return;
  }
  document.querySelector("#made-token").textContent = answer.token;
  const made = document.querySelector("#made");
  made.hidden = false;
  form.hidden = true;
  made.focus();
});
