// Keeps a page current: the template has written where each value comes from, as paths into the same data.
// Texts only ever go in as text.

import { now } from "./clock.js";
import { inWords, length, local, until, utc, span } from "./words.js";

export function at(data, paths) {
  for (const path of paths.split("|")) {
    const found = path.split(".").reduce((inner, name) => inner?.[name], data);
    if (found !== null && found !== undefined) return found;
  }
  return null;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const isThere = (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));

function entries(value) {
  if (Array.isArray(value)) return value;
  return Object.entries(value ?? {}).map(([name, one]) => ({
    name,
    value: typeof one === "string" ? one : JSON.stringify(one, null, 2),
  }));
}

function setTime(element, moment) {
  if (!moment || element.dateTime === moment) return;
  element.dateTime = moment;
  element.title = utc(moment);
  setText(element, local(moment, now()));
}

const FILLERS = {
  text: (element, data, path) => setText(element, inWords(at(data, path))),
  command: (element, data, path) => setText(element, inWords(at(data, path)).replaceAll("_", " ")),
  time: (element, data, path) => setTime(element, at(data, path)),
  length: (element, data, path) => setText(element, at(data, path) === null ? "" : length(at(data, path))),
  yes: (element, data, path) => {
    const [yes, no, unknown] = element.dataset.words.split("|");
    const value = at(data, path);
    setText(element, value === null ? unknown : value ? yes : no);
  },
  until: (element, data, path) => {
    element.dataset.at = at(data, path) ?? "";
    element.dataset.still = (element.dataset.frozen && at(data, element.dataset.frozen)) ?? "";
  },
  badge: (element, data) => {
    setText(element, data.state);
    element.dataset.state = data.state;
  },
  stateOf: (element, data, path) => {
    element.dataset.state = at(data, path) ?? "";
  },
};

function isShown({ show, unless, for: states }, data) {
  return (
    (show === undefined || isThere(at(data, show))) &&
    (unless === undefined || !isThere(at(data, unless))) &&
    (states === undefined || states.split(" ").includes(data.state))
  );
}

function fillList(list, items) {
  const template = document.getElementById(list.dataset.template);
  while (list.children.length > items.length) list.lastElementChild.remove();
  while (list.children.length < items.length) list.append(template.content.cloneNode(true));
  items.forEach((item, place) => fill(list.children[place], item));
}

// What belongs to an item of a list is filled from that item.
export function fill(root, data) {
  const outer = root.closest("[data-each]");
  for (const element of root.querySelectorAll("*")) {
    if (element.parentElement.closest("[data-each]") !== outer) continue;
    const { dataset } = element;
    if (dataset.each !== undefined) fillList(element, entries(at(data, dataset.each)));
    for (const name in dataset) FILLERS[name]?.(element, data, dataset[name]);
    if ("show" in dataset || "unless" in dataset || "for" in dataset) element.hidden = !isShown(dataset, data);
  }
}

// A steady schedule goes on by itself within a turn of several checks, whose report is still to come.
function moment({ at: said, step, last }) {
  const due = Date.parse(said);
  if (!step || due > now() || now() > Date.parse(last)) return due;
  return due + Math.ceil((now() - due) / step) * step;
}

function tick() {
  for (const element of document.querySelectorAll("[data-at]")) {
    const { dataset } = element;
    if (!dataset.at) setText(element, "");
    else if (dataset.still) {
      const left = (Date.parse(dataset.at) - Date.parse(dataset.still)) / 1000;
      setText(element, `stopped, ${span(Math.max(left, 0))} left`);
    } else {
      const due = moment(dataset);
      setText(element, until("past" in dataset ? Math.min(due, now()) : due, now()));
    }
  }
}

export function keepTime() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    setText(element, local(element.dateTime, now()));
  }
  tick();
  setInterval(tick, 1000);
}

export { tick };
