// How moments, lengths of time and values are said; monitor_core.words and web.paths say them the same way.

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
const JUST_NOW = 2;

export function span(seconds) {
  const whole = Math.ceil(seconds);
  const found = UNITS.findIndex(([size]) => whole >= size);
  const first = found < 0 ? UNITS.length - 1 : found;
  const [size, name] = UNITS[first];
  const said = [`${Math.floor(whole / size)} ${name}`];
  const smaller = UNITS[first + 1];
  const rest = smaller ? Math.floor((whole % size) / smaller[0]) : 0;
  if (rest) said.push(`${rest} ${smaller[1]}`);
  return said.join(" ");
}

export function length(seconds) {
  return Number.isInteger(seconds) || seconds >= 60 ? span(seconds) : `${seconds.toFixed(1)} s`;
}

export function until(moment, now) {
  const seconds = (moment - now) / 1000;
  if (seconds > 0) return `in ${span(seconds)}`;
  return seconds > -JUST_NOW ? "now" : `${span(-seconds)} ago`;
}

export const utc = (moment) => new Date(moment).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");

export function local(moment, now) {
  const at = new Date(moment);
  const today = at.toDateString() === new Date(now).toDateString();
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const day = { year: "numeric", month: "short", day: "numeric" };
  return at.toLocaleString(undefined, today ? clock : { ...day, ...clock });
}

export function inWords(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  return Object.entries(value).map(([name, one]) => `${name}: ${inWords(one)}`).join("; ");
}
