// One monitor: shows its changes as they come, and what became of what was asked.

import { call } from "./api.js";
import { fill, keepTime, setText, tick } from "./bind.js";
import { Commands } from "./dialogs.js";
import { Live } from "./live.js";
import { Told } from "./told.js";

const main = document.getElementById("content");
const banner = document.getElementById("banner");
const news = document.getElementById("news");
const outcome = document.getElementById("outcome");
const { job: id, run } = main.dataset;

function warn(said, how, way) {
  banner.hidden = !said;
  banner.className = `notice ${how}`;
  setText(banner.querySelector("[data-said]"), said);
  const link = banner.querySelector("[data-way]");
  link.hidden = !way;
  if (way) [link.href, link.textContent] = way;
}

function say(text, isWell) {
  outcome.classList.toggle("bad", !isWell);
  outcome.textContent = text;
}

// Only what matters is said aloud: not every check, and no countdown.
function announce({ state, status, result }) {
  const observed = result?.last_observation?.status ?? status?.observed;
  setText(news, observed ? `${state}, observed ${observed}` : state);
}

function schedule({ status }) {
  const next = main.querySelector("[data-next]");
  const isOn = "steady" in main.dataset && status?.turn_seconds > 0;
  next.dataset.step = isOn ? status.interval_seconds * 1000 : "";
  const last = Date.parse(status?.as_of) + (status?.turn_seconds + status?.interval_seconds) * 1000;
  next.dataset.last = isOn ? new Date(Math.min(last, Date.parse(status.deadline))).toISOString() : "";
}

// A control that has the focus may be hidden by a change: what comes in its place is told, so the focus goes there.
function keepFocus() {
  const focused = document.activeElement;
  if (focused !== document.body && focused?.closest("[hidden]")) outcome.focus();
}

function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

function seen(view) {
  warn("", "");
  main.dataset.state = view.state;
  const hasEnded = Boolean(view.result || view.failure);
  if (hasEnded && document.querySelector("dialog[open]:not(#dialog-purge)")) closeDialogs();
  fill(main, { ...view, ...told.known });
  told.heard(view);
  schedule(view);
  announce(view);
  keepFocus();
  tick();
}

function end(said, way) {
  closeDialogs();
  told.stop();
  main.classList.add("over");
  for (const controls of main.querySelectorAll(".controls")) controls.remove();
  warn(said, "", way);
}

const told = new Told(id, main.querySelector("[data-told]"));
const live = new Live(id, run, {
  seen,
  lost: ({ title, detail }) => warn(`Not current. ${title}: ${detail}`, "bad"),
  gone: () => end("This monitor was purged: what you see is the last of it.", ["/", "All monitors"]),
  replaced: () =>
    end("This run was replaced: the job was started anew. What you see is the earlier run.", [
      location.href,
      "Show the new run",
    ]),
});

new Commands(id, {
  said: say,
  purged: () => {
    live.close();
    end("Purged. What you see is the last of it.", ["/", "All monitors"]);
    banner.querySelector("[data-way]").focus();
  },
});

keepTime();
// Answers carry the server's time; the events' headers cannot be read.
call("GET", "/healthz");
