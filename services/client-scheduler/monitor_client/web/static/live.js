// A monitor's events for as long as it takes: when the connection is lost it finds out why, and comes back.

import { call, is, job } from "./api.js";

const SOONEST = 1000;
const LATEST = 15000;

export class Live {
  // Tells `seen(view)`, `lost(why)`, `gone(problem)` and `replaced(run)`; the last two are the end.
  constructor(id, run, listener) {
    Object.assign(this, { id, run, listener, pause: SOONEST });
    this.open();
  }

  open() {
    this.source = new EventSource(`${job(this.id)}/events`);
    for (const name of ["monitor", "verdict"]) {
      this.source.addEventListener(name, (event) => this.has(JSON.parse(event.data), name === "verdict"));
    }
    this.source.addEventListener("problem", (event) => this.failed(JSON.parse(event.data)));
    this.source.addEventListener("error", () => this.find());
  }

  close() {
    clearTimeout(this.timer);
    this.source.close();
  }

  has(view, isLast) {
    this.pause = SOONEST;
    if (isLast) this.close();
    if (view.run && this.run && view.run !== this.run) return this.end("replaced", view.run);
    this.run ||= view.run;
    this.listener.seen(view);
  }

  end(how, what) {
    this.close();
    this.listener[how](what);
  }

  // An event source does not say why it has failed: asked plainly, the service does.
  async find() {
    this.close();
    const { problem } = await call("GET", `${job(this.id)}?deliveries=false`);
    if (problem) this.failed(problem);
    else this.again();
  }

  failed(problem) {
    this.close();
    if (is(problem, "NotFound")) return this.end("gone", problem);
    if (is(problem, "RunReplaced")) return this.end("replaced", null);
    this.listener.lost(problem);
    this.again();
  }

  again() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(this.pause * 1.5, LATEST);
  }
}
