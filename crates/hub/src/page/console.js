// The page's script: asks the native API, and puts what it says into the document as text.
"use strict";

const KEY = "bergfried-key";
const REFRESH = 3000;
const WORST = ["critical", "high", "medium", "low", "informational"];
const $ = (id) => document.getElementById(id);
let refresh;

async function ask(path, options = {}) {
  const response = await fetch(`/api/v1/${path}`, {
    ...options,
    headers: { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` },
  });
  const body = await response.json();
  if (response.status === 401) signOut(body.error);
  if (!response.ok) throw new Error(body.error);
  return body;
}

function cell(row, text, className) {
  const cell = row.insertCell();
  cell.textContent = text ?? "";
  if (className) cell.className = className;
  return cell;
}

function time(text) {
  return text.replace("T", " ").replace(/\.\d+/, "").replace("Z", "");
}

// The first names that an alert has seen, and how many more there are.
function names(seen) {
  const shown = seen.names.slice(0, 3).join(", ");
  const more = seen.names.length - 3 + seen.overflow;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function worstFirst(a, b) {
  return WORST.indexOf(a.severity) - WORST.indexOf(b.severity) || b.last_seen.localeCompare(a.last_seen);
}

async function showAlerts() {
  const [{ alerts }, status] = await Promise.all([ask("alerts?status=open&limit=200"), ask("status")]);
  const body = $("alerts").tBodies[0];
  body.replaceChildren();
  for (const alert of alerts.sort(worstFirst)) {
    const row = body.insertRow();
    const severity = document.createElement("span");
    severity.className = `severity ${alert.severity}`;
    severity.textContent = alert.severity;
    cell(row, "").append(severity);
    cell(row, alert.event).title = alert.text;
    cell(row, alert.resource);
    cell(row, names(alert.sources));
    cell(row, names(alert.users));
    cell(row, alert.count);
    cell(row, time(alert.last_seen), "time");
    const close = document.createElement("button");
    close.textContent = "Close";
    close.addEventListener("click", () => ask(`alerts/${alert.id}/close`, { method: "POST" }).then(showAlerts));
    cell(row, "").append(close);
  }
  $("no-alerts").hidden = alerts.length > 0;
  $("alerts").hidden = alerts.length === 0;
  $("status").textContent =
    `${status.store.events.toLocaleString()} events stored, ${status.rules} rules, ${alerts.length} open alerts`;
}

async function search(event) {
  event?.preventDefault();
  const parameters = new URLSearchParams({ q: $("query").value, last: $("last").value, limit: 200 });
  $("search-error").textContent = "";
  try {
    const { events } = await ask(`search?${parameters}`);
    const body = $("events").tBodies[0];
    body.replaceChildren();
    for (const event of events) {
      const row = body.insertRow();
      cell(row, time(event["@timestamp"]), "time");
      cell(row, event["host.name"]);
      cell(row, event["process.name"]);
      const text = event["event.original"];
      cell(row, event.message ?? text, "message").title = text;
    }
    if (events.length === 0) $("search-error").textContent = "Nothing found.";
  } catch (error) {
    $("search-error").textContent = error.message;
  }
}

// Empties the body of a table and shows the table where there will be rows.
function rowsOf(id, rows) {
  $(id).hidden = rows.length === 0;
  const body = $(id).tBodies[0];
  body.replaceChildren();
  return rows.map((item) => [body.insertRow(), item]);
}

function each(nanoseconds) {
  if (nanoseconds >= 1e6) return `${(nanoseconds / 1e6).toFixed(1)} ms`;
  return nanoseconds >= 1e3 ? `${(nanoseconds / 1e3).toFixed(1)} µs` : `${Math.round(nanoseconds)} ns`;
}

function showInputs(inputs) {
  for (const [row, { name, listeners, counters, hosts_not_allowed }] of rowsOf("inputs", inputs)) {
    cell(row, name);
    const where = listeners.map((at) => `${at.transport} ${at.address}${at.problem ? ` (${at.problem})` : ""}`);
    cell(row, where.join("\n"), "listeners");
    cell(row, counters.connections);
    cell(row, counters.messages.toLocaleString());
    cell(row, counters.cut);
    cell(row, hosts_not_allowed);
    cell(row, `${(counters.held_ms / 1000).toFixed(1)} s`);
    cell(row, counters.kernel_drops);
  }
}

function showPatterns(chains) {
  const lines = chains.flatMap(({ name, steps }) =>
    steps.flatMap(({ place, kind, patterns, tried, done, too_hard, nanoseconds_per_event }) => [
      [name, place, kind, tried, done, too_hard, nanoseconds_per_event],
      ...patterns.map((one) => [
        name, place, one.pattern, one.tried, one.matched, one.too_hard, one.nanoseconds_per_text,
      ]),
    ]),
  );
  for (const [row, [chain, place, what, tried, matched, hard, nanoseconds]] of rowsOf("patterns", lines)) {
    cell(row, chain);
    cell(row, place);
    cell(row, what, "message");
    cell(row, tried.toLocaleString());
    cell(row, matched.toLocaleString());
    cell(row, hard.toLocaleString());
    cell(row, each(nanoseconds), "time");
  }
}

function showOutputs(outputs) {
  for (const [row, output] of rowsOf("outputs", outputs)) {
    cell(row, output.name);
    cell(row, output.type);
    cell(row, output.state);
    cell(row, output.sent.toLocaleString());
    cell(row, `${output.events_behind.toLocaleString()} events, ${output.seconds_behind} s`);
    cell(row, output.lost + output.refused);
    cell(row, output.last_error);
  }
}

async function showCollector() {
  const [{ inputs }, { chains }, outputs, { problems }] = await Promise.all(
    ["inputs", "chains", "outputs", "health"].map((path) => ask(path)),
  );
  showInputs(inputs);
  showPatterns(chains);
  showOutputs(outputs);
  $("problems").replaceChildren(
    ...problems.map((problem) => {
      const item = document.createElement("li");
      item.textContent = problem;
      return item;
    }),
  );
  $("problems").hidden = problems.length === 0;
  $("collector").hidden = inputs.length + chains.length + outputs.length === 0;
  $("to-collector").hidden = $("collector").hidden;
}

function refreshAll() {
  return Promise.all([showAlerts(), showCollector()]);
}

async function signIn(event) {
  event?.preventDefault();
  if (event) sessionStorage.setItem(KEY, $("key").value.trim());
  if (!sessionStorage.getItem(KEY)) return;
  try {
    await refreshAll();
  } catch (error) {
    $("refused").textContent = error.message;
    return;
  }
  $("refused").textContent = "";
  $("sign-in").hidden = true;
  $("console").hidden = $("sign-out").hidden = false;
  search();
  clearInterval(refresh);
  refresh = setInterval(() => refreshAll().catch((error) => ($("status").textContent = error.message)), REFRESH);
}

function signOut(reason = "") {
  clearInterval(refresh);
  sessionStorage.removeItem(KEY);
  $("sign-in").hidden = false;
  $("console").hidden = $("sign-out").hidden = true;
  $("refused").textContent = reason;
  $("status").textContent = "";
}

$("sign-in").addEventListener("submit", signIn);
$("search").addEventListener("submit", search);
$("sign-out").addEventListener("click", () => signOut());
signIn();
