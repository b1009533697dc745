// What is told of a monitor: its events do not say, and it goes on after the verdict, so the monitor itself is asked.

import { call, job } from "./api.js";
import { fill, tick } from "./bind.js";
import { now } from "./clock.js";

const SOONEST = 2000;
const LATEST = 60000;

export class Told {
  // Keeps `section` current, where there is one.
  constructor(id, section) {
    Object.assign(this, { id, section, pause: SOONEST, hasEnded: false, seen: "" });
    // Until it is asked for the first time, what the server has written stands.
    this.known = section ? JSON.parse(section.dataset.told) : {};
    this.plan();
  }

  // A change of the monitor, by which something may have been told.
  heard({ state, status, result, failure }) {
    this.hasEnded = Boolean(result || failure);
    const seen = [state, (result ?? status)?.transitions?.at(-1)?.at].join();
    if (seen === this.seen) return;
    this.seen = seen;
    this.pause = SOONEST;
    this.plan();
  }

  stop() {
    clearTimeout(this.timer);
    this.section = null;
  }

  // Soon where an attempt is due, less and less often where nothing comes of it; not at all once all is over.
  plan() {
    clearTimeout(this.timer);
    if (!this.section) return;
    const pending = (this.known.deliveries ?? []).filter((one) => one.outcome === "pending");
    const isSettled = this.hasEnded && this.asked === this.seen && !pending.length;
    if (isSettled) return;
    const due = Math.min(...pending.map((one) => Date.parse(one.next_attempt_at ?? "") || now()));
    const wait = this.asked !== this.seen ? this.pause : Math.max(due - now(), this.pause);
    this.timer = setTimeout(() => this.ask(), Math.min(wait, LATEST));
    this.pause = Math.min(this.pause * 1.5, LATEST);
  }

  async ask() {
    const about = this.seen;
    const { body } = await call("GET", job(this.id));
    if (!this.section) return;
    if (body?.deliveries) {
      this.asked = about;
      this.has({ deliveries: body.deliveries, deliveries_note: body.deliveries_note });
    }
    this.plan();
  }

  has(known) {
    if (JSON.stringify(known) === JSON.stringify(this.known)) return;
    this.known = known;
    this.pause = SOONEST;
    fill(this.section, known);
    tick();
  }
}
