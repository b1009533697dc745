// The service's API. What changes something is sent as JSON, which no page of another origin can send.

import { learn } from "./clock.js";

const UNREACHABLE = { title: "The service cannot be reached", status: 0, errors: [] };

export const job = (id) => `/monitors/${encodeURIComponent(id)}`;

// Sends, and gives {status, body, problem}: status 0 and a problem where there was no answer at all.
export async function call(method, url, body) {
  const asked = Date.now();
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(url, { method, headers, body: JSON.stringify(body), cache: "no-store" });
    learn(response, asked);
    const given = await readJson(response);
    if (response.ok) return { status: response.status, body: given };
    return { status: response.status, problem: problem(response, given) };
  } catch {
    const detail = "Nothing was answered. Is it restarting, or is the network gone? Try again.";
    return { status: 0, problem: { ...UNREACHABLE, detail } };
  }
}

async function readJson(response) {
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function problem(response, given) {
  const known = given !== null && typeof given === "object";
  const { type = "about:blank", title = "", detail = "", errors = [] } = known ? given : {};
  const said = title || `The service answers ${response.status}`;
  return { type, title: said, status: response.status, detail: detail || said, errors };
}

export const is = (found, name) => found?.type === `urn:durable-monitor:${name}`;

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
