// A form's fields as JSON, by the dotted paths that are their names, and what is wrong with them beside them.

const PAIR = /[:=]/;

function number(text) {
  const value = Number(text);
  return Number.isFinite(value) ? value : text; // what is no number is for the service to refuse, by name
}

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

function pairs(text) {
  return Object.fromEntries(
    lines(text).map((line) => {
      const place = line.search(PAIR);
      return place < 0 ? [line, ""] : [line.slice(0, place).trim(), line.slice(place + 1).trim()];
    }),
  );
}

const READERS = { text: (text) => text, number, json, lines, pairs };

// What a field holds; undefined where it was left as it is by default.
function valueOf(element) {
  const { shape } = element.dataset;
  if (shape === "boolean") return String(element.checked) === element.dataset.default ? undefined : element.checked;
  if (element.type === "radio" && !element.checked) return undefined;
  const text = element.value.trim();
  if (!text || text === element.dataset.default) return undefined;
  return READERS[shape](text);
}

function put(data, path, value) {
  const names = path.split(".");
  const last = names.pop();
  let inner = data;
  for (const name of names) inner = inner[name] ??= {};
  inner[last] = value;
}

export function collect(form) {
  const data = {};
  for (const element of form.elements) {
    if (!element.dataset.shape || element.matches(":disabled")) continue;
    const value = valueOf(element);
    if (value !== undefined) put(data, element.name, value);
  }
  return data;
}

export function clearErrors(form) {
  for (const field of form.querySelectorAll("[data-field]")) showError(field, "");
}

function showError(field, reason) {
  const place = field.querySelector("[data-error]");
  place.textContent = reason;
  place.hidden = !reason;
  for (const control of field.querySelectorAll("input, select, textarea")) {
    if (reason) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}

// The field that a problem is about: the one of that path, or the nearest above it.
function fieldOf(form, path) {
  for (let names = path.split("."); names.length; names.pop()) {
    const fields = form.querySelectorAll(`[data-field="${CSS.escape(names.join("."))}"]`);
    const field = [...fields].find((one) => !one.closest("fieldset:disabled"));
    if (field) return field;
  }
  return null;
}

// Shows each error at its field; gives those that have none. The first wrong field has the focus then.
export function showErrors(form, errors) {
  clearErrors(form);
  const others = [];
  const wrong = new Map();
  for (const { field: path, reason } of errors) {
    const field = fieldOf(form, path);
    if (!field) others.push(`${path}: ${reason}`);
    else wrong.set(field, [...(wrong.get(field) ?? []), path === field.dataset.field ? reason : `${path}: ${reason}`]);
  }
  for (const [field, reasons] of wrong) {
    showError(field, reasons.join("; "));
    const folded = field.closest("details");
    if (folded) folded.open = true;
  }
  form.querySelector("[aria-invalid]")?.focus();
  return others;
}
