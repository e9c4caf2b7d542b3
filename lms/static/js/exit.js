/*
 * Quick exit: cover the page first, then send the exit form. Shift three times within five seconds does the same.
 *
 * Without this script the button still posts the form. Not Esc: browsers use it to stop loading.
 * The form carries its spoken texts in data-once, data-twice and data-leaving.
 * Before sending, "suluh:exit" is fired on document; listeners may push promises into event.detail.waitFor
 * (save.js sends what is still unsaved). The page is already covered then, and the wait is never longer than WAIT_MS.
 */
"use strict";
(() => {
  const WINDOW_MS = 5000;
  const WAIT_MS = 700;

  // The page an exit is answered with names where to go; without this script its refresh does the same.
  const away = document.documentElement.dataset.leave;
  if (away) {
    window.location.replace(away);
    return;
  }
  const form = document.querySelector("form[data-exit]");
  if (!form) return;

  const voice = document.createElement("div");
  voice.className = "visually-hidden";
  voice.setAttribute("role", "status");
  form.append(voice);

  const title = document.title;
  let cover = null;
  let presses = [];
  let alone = false;

  function hide() {
    cover = document.createElement("div");
    cover.className = "exit-cover";
    document.body.append(cover);
    document.documentElement.classList.add("is-leaving");
    document.title = form.dataset.leaving;
  }

  function show() {
    cover?.remove();
    cover = null;
    presses = [];
    document.title = title;
    document.documentElement.classList.remove("is-leaving");
  }

  async function leave() {
    if (cover) return;
    hide();
    const waitFor = [];
    document.dispatchEvent(new CustomEvent("suluh:exit", { detail: { waitFor } }));
    if (waitFor.length) {
      await Promise.race([Promise.allSettled(waitFor), new Promise((done) => setTimeout(done, WAIT_MS))]);
    }
    form.submit();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    leave();
  });

  // Only a Shift pressed and released by itself counts: typing capitals must not end a session.
  document.addEventListener("keydown", (event) => {
    if (event.repeat) return;
    if (event.key !== "Shift") presses = [];
    alone = event.key === "Shift" && !event.ctrlKey && !event.altKey && !event.metaKey;
  });
  document.addEventListener("pointerdown", () => {
    alone = false;
    presses = [];
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== "Shift" || !alone) return;
    alone = false;
    presses = [...presses.filter((at) => event.timeStamp - at < WINDOW_MS), event.timeStamp];
    if (presses.length === 3) leave();
    else voice.textContent = presses.length === 1 ? form.dataset.once : form.dataset.twice;
  });

  // Back after an exit: a page kept in memory is asked for again under the cover, so that nobody reads it without a session.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && cover) window.location.reload();
    else show();
  });
})();
