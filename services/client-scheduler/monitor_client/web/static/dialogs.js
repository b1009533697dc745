// Commands to a monitor: by a button at once, or by a dialog that asks for what they need.

import { call, job, newId } from "./api.js";
import { clearErrors, collect, showErrors } from "./form.js";

const UNANSWERED = "sent, and not answered yet: the monitor takes it as soon as a worker runs it";

export class Commands {
  constructor(id, { said, purged }) {
    Object.assign(this, { id, said, purged });
    for (const button of document.querySelectorAll("[data-send]")) {
      button.addEventListener("click", () => this.sendPlain(button));
    }
    for (const button of document.querySelectorAll("[data-dialog]")) {
      button.addEventListener("click", () => this.ask(button.dataset.dialog));
    }
    for (const form of document.querySelectorAll("dialog form")) this.listen(form);
  }

  ask(name) {
    const dialog = document.getElementById(`dialog-${name}`);
    const form = dialog.querySelector("form");
    form.reset();
    form.dataset.id = newId(); // sent again after no answer, it is applied once
    clearErrors(form);
    form.querySelector("[data-problem]").textContent = "";
    dialog.showModal();
  }

  listen(form) {
    const dialog = form.closest("dialog");
    form.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector(".actions button");
      button.disabled = true;
      await this.submit(form, dialog);
      button.disabled = false;
    });
  }

  async submit(form, dialog) {
    const { action, id } = form.dataset;
    const problem = action === "purge" ? await this.purge() : await this.send(action, { id, ...collect(form) });
    if (!problem) return dialog.close();
    const errors = problem.errors.map(({ field, reason }) => ({ field: field.replace(/^command\./, ""), reason }));
    const others = showErrors(form, errors);
    const all = errors.length && !others.length;
    form.querySelector("[data-problem]").textContent = all ? "" : others.join("; ") || problem.detail;
  }

  async sendPlain(button) {
    button.disabled = true;
    const problem = await this.send(button.dataset.send, { id: newId() });
    button.disabled = false;
    if (problem) this.said(problem.detail, false);
  }

  async send(action, command) {
    const { status, body, problem } = await call("POST", `${job(this.id)}/${action}`, command);
    if (!problem) this.said(`${action.replace("-", " ")}: ${status === 202 ? UNANSWERED : body.message}`, true);
    return problem;
  }

  async purge() {
    const { problem } = await call("DELETE", job(this.id));
    if (!problem) this.purged();
    return problem;
  }
}
