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

async function signIn(event) {
  event?.preventDefault();
  if (event) sessionStorage.setItem(KEY, $("key").value.trim());
  if (!sessionStorage.getItem(KEY)) return;
  try {
    await showAlerts();
  } catch (error) {
    $("refused").textContent = error.message;
    return;
  }
  $("refused").textContent = "";
  $("sign-in").hidden = true;
  $("console").hidden = $("sign-out").hidden = false;
  search();
  clearInterval(refresh);
  refresh = setInterval(() => showAlerts().catch((error) => ($("status").textContent = error.message)), REFRESH);
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
