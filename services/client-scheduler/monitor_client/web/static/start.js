// The start form: the fields of the chosen kind, the request as JSON, the problems at their fields, an explanation.

import { call, is } from "./api.js";
import { fill, keepTime, tick } from "./bind.js";
import { clearErrors, collect, showErrors } from "./form.js";

const form = document.getElementById("start");
const kind = document.getElementById("kind");
const problemBox = document.getElementById("problem");
const explanation = document.getElementById("explanation");
const started = document.getElementById("started");
const working = document.getElementById("working");
const buttons = [...form.querySelectorAll(".bar button")];

function chooseKind() {
  for (const part of form.querySelectorAll("[data-kind]")) {
    part.hidden = part.disabled = part.dataset.kind !== kind.value;
  }
}

function request() {
  const { check = {}, ...rest } = collect(form);
  return { ...rest, check: { kind: kind.value, ...check } };
}

function showProblem(problem) {
  problemBox.hidden = !problem;
  if (!problem) return;
  const others = showErrors(form, problem.errors);
  const atFields = problem.errors.length - others.length;
  // What is wrong with the request is said at its fields; what stands in its way is said whole.
  const isOfRequest = problem.status === 400 && atFields > 0;
  problemBox.querySelector("[data-title]").textContent = problem.title;
  problemBox.querySelector("[data-detail]").textContent = isOfRequest
    ? `${atFields} of its fields cannot be used as they are: see there.`
    : problem.status === 400 && problem.errors.length ? "" : problem.detail;
  const list = problemBox.querySelector("[data-others]");
  list.replaceChildren(...others.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  offer(problem);
  if (!isOfRequest) problemBox.focus();
}

function offer(problem) {
  const see = problemBox.querySelector("[data-see]");
  see.hidden = !["Conflict", "AlreadyEnded"].some((name) => is(problem, name));
  see.href = `/m/${encodeURIComponent(request().job_id ?? "")}`;
  problemBox.querySelector("[data-again]").hidden = !is(problem, "AlreadyEnded");
}

async function busily(said, work) {
  for (const button of buttons) button.disabled = true;
  working.textContent = said;
  clearErrors(form);
  showProblem(null);
  await work();
  working.textContent = "";
  for (const button of buttons) button.disabled = false;
}

const start = (isRestart) =>
  busily("Starting", async () => {
    const asked = request();
    const { body, problem } = await call("POST", isRestart ? "/monitors?restart=true" : "/monitors", asked);
    if (problem) return showProblem(problem);
    const page = `/m/${encodeURIComponent(asked.job_id)}`;
    if (body.callback || body.note) return showCallback(body, page);
    location.assign(page);
  });

// Shown this once: whoever leaves the page without it has lost it.
function showCallback({ callback, note }, page) {
  const header = callback && `--header 'Authorization: Bearer ${callback.token}'`;
  started.querySelector("[data-callback]").hidden = !callback;
  started.querySelector("[data-curl]").textContent = callback ? `curl --request POST '${callback.url}' ${header}` : "";
  started.querySelector("[data-note]").textContent = note ? `${note}.` : "";
  started.querySelector("[data-see]").href = page;
  started.hidden = false;
  form.hidden = true;
  started.focus();
}

const explain = () =>
  busily("Making one check", async () => {
    explanation.hidden = true;
    const { body, problem } = await call("POST", "/explain", request());
    if (problem) return showProblem(problem);
    fill(explanation, body);
    tick();
    explanation.hidden = false;
    explanation.focus();
  });

form.addEventListener("submit", (event) => {
  event.preventDefault();
  start(false);
});
problemBox.querySelector("[data-again]").addEventListener("click", () => start(true));
document.getElementById("explain").addEventListener("click", explain);
kind.addEventListener("change", chooseKind);
chooseKind();
keepTime();
