// Forms about people: a new one gets an id that is readable and nobody else's; another card joins those there are.

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.dataset.newPerson !== undefined) {
      const { person_id: id, name } = form.elements;
      id.value = `${readable(name.value)}${random()}`;
    } else if (form.dataset.moreCards !== undefined) {
      const { person_id: person, cards } = form.elements;
      const held = person.selectedOptions[0]?.dataset.cards ?? "";
      cards.value = [...held.split("\n"), cards.dataset.added].filter(Boolean).join("\n");
    }
  },
  true,
);

function readable(name) {
  const letters = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const plain = letters.replace(/ß/g, "ss").replace(/[^a-z0-9]+/g, "-");
  const cut = plain.replace(/^-+/, "").slice(0, 30).replace(/-+$/, "");
  return cut && `${cut}-`;
}

function random() {
  return [...crypto.getRandomValues(new Uint8Array(3))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
