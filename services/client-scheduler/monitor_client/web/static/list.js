// The list: asks again for this one page, and shows what has changed of the monitors that stand there.
// What is new, or is gone, is only announced: rows never move under the pointer.

import { call } from "./api.js";
import { fill, keepTime, tick } from "./bind.js";

const OFTEN = 5000;
const SELDOM = 15000; // nothing here can change by itself
const RUNNING = ["Pending", "Running", "Paused", "Suspended"];

const shown = document.querySelector("[data-source]");
const news = document.getElementById("news");
const rows = new Map([...document.querySelectorAll("[data-job]")].map((row) => [row.dataset.job, row]));

function count(number, what) {
  return number ? [`${number} ${what}`] : [];
}

function tell(said, url) {
  if (news.dataset.said === said) return;
  news.dataset.said = said;
  news.replaceChildren(said);
  if (!said || !url) return;
  const link = document.createElement("a");
  link.href = url;
  link.textContent = "Show the list as it is now";
  news.append(" ", link);
}

function show({ value }) {
  const found = new Set(value.map((view) => view.job_id));
  for (const view of value) {
    const row = rows.get(view.job_id);
    if (!row) continue;
    row.dataset.state = view.state;
    fill(row, view);
  }
  for (const [name, row] of rows) row.classList.toggle("gone", !found.has(name));
  const fresh = value.filter((view) => !rows.has(view.job_id)).length;
  const gone = [...rows.keys()].filter((name) => !found.has(name)).length;
  const changes = [...count(fresh, "new"), ...count(gone, "no longer here")];
  tell(changes.length ? `${changes.join(", ")}.` : "", location.href);
  tick();
}

const isLively = () => !rows.size || [...rows.values()].some((row) => RUNNING.includes(row.dataset.state));

async function refresh() {
  if (document.hidden) return;
  const { body, problem } = await call("GET", shown.dataset.source);
  document.body.classList.toggle("lost", Boolean(problem));
  if (problem) tell(`Not current: ${problem.detail}`);
  else show(body);
}

let timer;
async function keepCurrent() {
  clearTimeout(timer);
  await refresh();
  timer = setTimeout(keepCurrent, isLively() ? OFTEN : SELDOM);
}

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
    news.textContent = button.dataset.copied;
  });
}

keepTime();
if (shown) {
  document.addEventListener("visibilitychange", () => document.hidden || keepCurrent());
  keepCurrent();
}
