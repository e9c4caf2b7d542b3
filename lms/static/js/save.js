/*
 * Save answers as they are given. The form still works as a plain POST; this only saves earlier.
 *
 * <form data-autosave="URL"> sends each changed field to URL. The body is form-encoded: the field with all its values (none when a box was
 * cleared), `field` = its name, `client_key` = a new UUID per change (a repeat of the same change keeps it, so the server may answer twice),
 * `seq` = counts up from data-autosave-seq, and the hidden fields of the form or of the nearest [data-save-scope].
 * Saved means HTTP 200 and JSON {"saved": true, "label": "Tersimpan 10.42"}; a page, a redirect or silence is not a receipt.
 * The nearest [data-save-status] in the scope shows that label, or its own data-label-pending, or data-label-signin after a 401.
 *
 * Nothing is kept on the device: what the server has not confirmed lives in memory, is sent again after 1, 2, 4 … 30 s, and leaving warns.
 * A button of the form waits until everything is confirmed, because a page that is left takes its memory along: the nearest
 * [data-save-status] says data-label-wait meanwhile, and the button goes on by itself. Pressed again it goes at once.
 */

const TYPING_MS = 800;
const TIMEOUT_MS = 15000;
const LONGEST_WAIT_MS = 30000;
const isFinal = (status) => status >= 400 && status < 500 && ![401, 408, 429].includes(status);

const waiting = new Map(); // "URL field" -> newest change not yet sent
const typing = new Map(); // field element -> timer
const refused = new Map(); // "URL field" -> change the server will not take as it is
let sending = null; // the one change on its way: one at a time keeps their order
let failures = 0;
let timer = null;
let leaving = false;
let held = null; // the form and the button that wait until everything is confirmed
let signedOut = false; // since the last answer: the token of this page may belong to a session that is over
let seq = 0;

const isUnsaved = () => sending !== null || waiting.size + typing.size + refused.size > 0;

// crypto.randomUUID exists only on https and localhost; a class may run on plain http inside its own network.
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

const scopeOf = (element) => element.closest("[data-save-scope]") ?? element.form;

function tell(scope, label, pending) {
  const status = scope.querySelector("[data-save-status]");
  if (!status) return;
  const text = status.querySelector("[data-save-label]") ?? status;
  const words = held ? (status.dataset.labelWait ?? status.dataset.labelPending) : status.dataset.labelPending;
  const next = label ?? ((pending && words) || "");
  status.classList.toggle("save-pending", pending);
  if (text.textContent !== next) text.textContent = next;
}

function bodyOf(element, scope) {
  const form = element.form;
  const body = new URLSearchParams();
  for (const control of form.elements) {
    const theirs = control.closest("[data-save-scope]");
    if (control.type === "hidden" && control.name !== "csrf_token" && (!theirs || theirs === scope))
      body.append(control.name, control.value);
  }
  for (const value of new FormData(form).getAll(element.name)) body.append(element.name, value);
  body.set("field", element.name);
  body.set("client_key", uuid());
  body.set("seq", String(++seq));
  return body;
}

/* Queue the present value of a field; a value still waiting for the same field gives way to it. */
function queue(element) {
  clearTimeout(typing.get(element));
  typing.delete(element);
  const scope = scopeOf(element);
  const url = element.form.dataset.autosave;
  const key = `${url} ${element.name}`;
  refused.delete(key);
  waiting.delete(key);
  waiting.set(key, { key, url, scope, body: bodyOf(element, scope) });
  tell(scope, null, true);
  if (failures === 0) next();
}

function next() {
  if (sending || waiting.size === 0) return;
  clearTimeout(timer);
  const [key, change] = waiting.entries().next().value;
  waiting.delete(key);
  sending = change;
  change.done = send(change);
}

/* Take the token of the new session from a fresh copy of this page, after somebody signed in again in another tab. */
async function renewToken() {
  const response = await fetch(window.location.href, { credentials: "same-origin" });
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("meta[name=csrf-token]");
  if (fresh) document.querySelector("meta[name=csrf-token]")?.setAttribute("content", fresh.content);
}

async function post(change, keepalive = false) {
  const stop = new AbortController();
  const alarm = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    if (signedOut) await renewToken();
    const response = await fetch(change.url, {
      method: "POST",
      body: change.body,
      headers: {
        Accept: "application/json",
        "X-CSRFToken": document.querySelector("meta[name=csrf-token]")?.content ?? "",
      },
      credentials: "same-origin",
      redirect: "manual",
      keepalive, // only on the way out: browsers cap such bodies at 64 KiB
      signal: stop.signal,
    });
    signedOut = response.status === 401;
    const isJson = (response.headers.get("Content-Type") ?? "").startsWith("application/json");
    return { status: response.status, answer: isJson ? await response.json() : null };
  } catch {
    return { status: 0, answer: null }; // no network, no answer in time, or broken JSON
  } finally {
    clearTimeout(alarm);
  }
}

async function send(change) {
  const { status, answer } = await post(change);
  sending = null;
  const isNewest = !waiting.has(change.key);
  const label = typeof answer?.label === "string" ? answer.label : null;
  if (status === 200 && answer?.saved === true) {
    failures = 0;
    if (isNewest && !stillPending(change.scope)) tell(change.scope, label ?? "", false);
    document.dispatchEvent(new CustomEvent("suluh:saved", { detail: answer }));
    next();
    letGo();
  } else if (isFinal(status)) {
    // Sending the same again cannot help (time is up, the field is wrong): say so and wait for another value.
    failures = 0;
    if (isNewest) {
      refused.set(change.key, change);
      tell(change.scope, label, true);
    }
    held = null; // the page says why it is not saved; the next press of a button goes on
    next();
  } else {
    if (isNewest) {
      waiting.set(change.key, change);
      const signin = change.scope.querySelector("[data-save-status]")?.dataset.labelSignin;
      tell(change.scope, status === 401 ? (signin ?? null) : null, true);
    }
    timer = setTimeout(next, Math.min(1000 * 2 ** failures, LONGEST_WAIT_MS));
    failures += 1;
  }
}

function stillPending(scope) {
  const changes = [...waiting.values(), ...refused.values()];
  return changes.some((change) => change.scope === scope) || [...typing.keys()].some((element) => scopeOf(element) === scope);
}

const isText = (element) =>
  element.matches("textarea, input:not([type=radio], [type=checkbox], [type=file], [type=hidden], [type=submit])");
const isOurs = (element) => Boolean(element.name && element.form?.dataset.autosave && !element.closest("[data-autosave-off]"));

document.addEventListener("change", ({ target }) => {
  if (!isOurs(target) || target.type === "file") return;
  if (!isText(target) || typing.has(target)) queue(target); // leaving a text field that was already sent changes nothing
});

document.addEventListener("input", ({ target }) => {
  if (!isOurs(target) || !isText(target)) return;
  clearTimeout(typing.get(target));
  typing.set(target, setTimeout(queue, TYPING_MS, target));
  tell(scopeOf(target), null, true);
});

/*
 * A plain submit into a dead network ends on a page of the browser, and what waits here is gone with this one. So a button first lets
 * everything be confirmed, then goes on by itself. Whoever presses twice is not held: the form carries every value of its page.
 */
function hold(event) {
  const form = event.target;
  held = { form, button: event.submitter };
  const status = form.querySelector("[data-save-status]");
  if (status) {
    tell(status.closest("[data-save-scope]") ?? form, null, true);
    status.scrollIntoView({ block: "center" });
  }
  for (const element of [...typing.keys()]) queue(element);
  next();
}

function letGo() {
  if (!held || isUnsaved()) return;
  const { form, button } = held;
  held = null;
  form.requestSubmit(button);
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.autosave || event.defaultPrevented) return;
  const again = held !== null;
  if (navigator.onLine && (again || !isUnsaved() || refused.size > 0)) {
    held = null;
    leaving = true;
    return;
  }
  event.preventDefault();
  hold(event);
});

window.addEventListener("beforeunload", (event) => {
  if (leaving || !isUnsaved()) return;
  event.preventDefault();
  event.returnValue = true; // Chrome before 119
});
window.addEventListener("pageshow", () => {
  leaving = false;
});
window.addEventListener("online", () => {
  failures = 0;
  next();
  letGo();
});

// Quick exit never stops for a question; what waits is sent at once while the page is already covered.
document.addEventListener("suluh:exit", ({ detail }) => {
  leaving = true;
  for (const element of [...typing.keys()]) queue(element);
  for (const change of waiting.values()) detail.waitFor.push(post(change, true));
  if (sending) detail.waitFor.push(sending.done);
});

for (const form of document.querySelectorAll("form[data-autosave]")) {
  seq = Math.max(seq, Number(form.dataset.autosaveSeq) || 0);
}
