// Why something wasn't done, out of the API's answer: as the pages say it, else as the API does, in English.

/** The parts of a text with `{reason}` in it. */
export function withReason(text, answer) {
  const reason = document.createElement("span");
  reason.textContent = answer.said ?? answer.detail ?? answer.title ?? "";
  if (answer.said === undefined) reason.lang = "en";
  const [before, after = ""] = text.split("{reason}");
  return [before, reason, after];
}
