// The server's time: the browser's own clock may be wrong.

const RESOLUTION = 2000; // milliseconds: the header Date has whole seconds, and a server may renew it a little late

// The page says when it was made: just before its first byte came.
const [{ responseStart }] = performance.getEntriesByType("navigation");
let ahead = Date.parse(document.body.dataset.now) - (Date.now() - (performance.now() - responseStart));

export const now = () => Date.now() + ahead;

// Learns from an answer what time it is there: somewhere within its resolution, somewhere between asking and having it.
export function learn(response, asked, answered = Date.now()) {
  const said = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isNaN(said)) return;
  const earliest = said - answered;
  const latest = said + RESOLUTION - asked;
  if (ahead < earliest || ahead > latest) ahead = (earliest + latest) / 2;
}
