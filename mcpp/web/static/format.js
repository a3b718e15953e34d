// Spells numbers and times as whoever looks is used to: <data value data-as> and <time datetime data-as>.

// The page's language, of the country that the viewer prefers: British dates aren't American ones.
const spoken = document.documentElement.lang;
const language = navigator.languages.find((wanted) => wanted.split("-")[0] === spoken) ?? spoken;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const styles = {
  datetime: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "short", year: "numeric" },
  second: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  month: { month: "long", year: "numeric" },
};
const kept = new Map();
const numbers = (options) => keep(JSON.stringify(options), () => new Intl.NumberFormat(language, options));
const times = (style, year) =>
  keep(style + year, () => new Intl.DateTimeFormat(language, year ? { ...styles[style], year: "numeric" } : styles[style]));
const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const thisYear = new Date().getFullYear();

function keep(key, make) {
  if (!kept.has(key)) kept.set(key, make());
  return kept.get(key);
}

function fixed(value, digits) {
  return numbers({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

function decimals(wh) {
  if (wh < 100000) return 2;
  return wh < 1000000 ? 1 : 0;
}

function since(then) {
  const seconds = Math.round((then - Date.now()) / 1000);
  const size = Math.abs(seconds);
  if (size < 45) return ago.format(0, "second");
  if (size < 3600) return ago.format(Math.round(seconds / 60), "minute");
  if (size < 86400) return ago.format(Math.ceil(seconds / 3600) || -1, "hour");
  if (size < 30 * 86400) return ago.format(Math.ceil(seconds / 86400) || -1, "day");
  return times("date", true).format(then);
}

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  const unit = (value, name, digits) =>
    numbers({ style: "unit", unit: name, unitDisplay: "short", minimumIntegerDigits: digits }).format(value);
  return minutes < 60 ? unit(minutes, "minute", 1) : `${unit(Math.floor(minutes / 60), "hour", 1)} ${unit(minutes % 60, "minute", 2)}`;
}

const spellings = {
  energy: (value) => `${fixed(value / 1000, decimals(Math.abs(value)))}\u00a0kWh`,
  power: (value) => `${fixed(value / 1000, 1)}\u00a0kW`,
  money: (value, element) => numbers({ style: "currency", currency: element.dataset.currency }).format(value),
  price: (value, element) => numbers({ style: "currency", currency: element.dataset.currency, maximumFractionDigits: 6 }).format(value),
  percent: (value) => numbers({ style: "percent", maximumFractionDigits: 0 }).format(value / 100),
  number: (value) => numbers({}).format(value),
  duration,
};

function spell(element) {
  const style = element.dataset.as;
  if (element.localName === "data") return spellings[style](Number(element.value), element);
  const then = new Date(element.dateTime);
  const exact = (as, isDated) => times(as, isDated && then.getFullYear() !== thisYear).format(then);
  if (style !== "since") return exact(style, style === "datetime");
  element.title = exact("datetime", true);
  return since(then);
}

/** Spell all values below `root`. Those that say nothing that can be read stay as the server wrote them. */
export function format(root) {
  for (const element of root.querySelectorAll("data[data-as], time[data-as]")) {
    try {
      const text = spell(element);
      if (element.textContent !== text) element.textContent = text;
    } catch {
      continue;
    }
  }
}

// The server groups by the viewer's days: it learns the zone here.
const knowsZone = () => document.cookie.split("; ").includes(`timezone=${zone}`);
if (!knowsZone()) {
  document.cookie = `timezone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax`;
  // What is grouped by days and months was so by the server's own.
  if (document.querySelector("meta[name=by-zone]") && knowsZone()) location.reload();
}
for (const form of document.querySelectorAll("[data-languages]")) {
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    document.cookie = `language=${button.value}; Path=/; Max-Age=31536000; SameSite=Lax`;
    location.reload();
  });
}
format(document);
setInterval(() => document.hidden || format(document), 30000);
