/*
 * The countdown of an exercise and the sign of a break, on the screen everybody in the room sees.
 *
 * Runs in the page alone: nothing is asked of the server, so both go on when it cannot be reached. What is up outlives a reload in sessionStorage:
 * a moment or an hour, nothing of anybody; it goes with the tab and with a quick exit. Without this script the forms name the hour instead.
 * The words stand in data-… of the stage, with # for the number. No sound. What is spoken is each whole minute, politely, and the end.
 */
"use strict";
const MINUTE = 60_000;
const LONGEST = 24 * 60 * MINUTE;
const KEY = `suluh-stage ${location.pathname}`;
const stage = document.querySelector("[data-stage]");

function begin() {
  const [time, words, voice, hold, more, end] = ["time", "words", "voice", "hold", "more", "end"].map((name) =>
    stage.querySelector(`[data-stage-${name}]`),
  );
  const say = stage.dataset;
  const back = document.querySelector("[data-stage-break] [name=jeda]");
  let state = recall();
  let spoken = null;
  let wake = null;
  let from = null;

  /** What was up when the page was left: {ends, held} in milliseconds, or {back} as an hour. Anything else is nothing. */
  function recall() {
    try {
      const found = JSON.parse(sessionStorage.getItem(KEY));
      if (typeof found?.back === "string") return { back: found.back };
      const fits = Number.isFinite(found?.ends) && Math.abs(found.ends - Date.now()) < LONGEST;
      return fits ? { ends: found.ends, held: Number.isFinite(found.held) ? found.held : null } : null;
    } catch {
      return null;
    }
  }

  function keep(next) {
    state = next;
    try {
      if (state) sessionStorage.setItem(KEY, JSON.stringify(state));
      else sessionStorage.removeItem(KEY);
    } catch {
      // A browser that stores nothing shows it all the same, until the page is left.
    }
  }

  const hour = (moment) => {
    const there = new Date(moment + Number(say.offset) * MINUTE);
    return [there.getUTCHours(), there.getUTCMinutes()].map((part) => String(part).padStart(2, "0")).join(".");
  };
  const digits = (seconds) => [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
  const put = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  const speak = (text) => {
    if (spoken !== text) voice.textContent = text;
    spoken = text;
  };

  function draw() {
    clearTimeout(wake);
    stage.hidden = state === null;
    if (state === null) {
      spoken = null;
      voice.textContent = "";
      return;
    }
    const resting = "back" in state;
    const left = resting ? 0 : (state.held ?? state.ends - Date.now());
    const over = !resting && left <= 0;
    const inside = document.activeElement === hold;
    time.hidden = resting || over;
    more.hidden = resting;
    hold.hidden = resting || over;
    if (inside && hold.hidden) end.focus();
    stage.classList.toggle("is-over", over);
    put(hold, state.held == null ? say.hold : say.go);
    put(end, resting ? say.resume : say.end);
    if (resting) {
      put(words, say.break.replace("#", state.back.replace(":", ".")));
      speak(words.textContent);
    } else if (over) {
      put(words, say.over);
      speak(say.over);
    } else {
      const seconds = Math.ceil(left / 1000);
      put(time, digits(seconds));
      put(words, state.held == null ? say.until.replace("#", hour(state.ends)) : say.held);
      speak(state.held == null ? say.left.replace("#", String(Math.ceil(seconds / 60))) : say.held);
      if (state.held == null) wake = setTimeout(draw, left % 1000 || 1000);
    }
  }

  function up(next, button) {
    from = button;
    keep(next);
    draw();
    (hold.hidden ? end : hold).focus();
  }

  /** The page may have stood there since the morning: the hour it proposes is one after now, unless somebody wrote another. */
  function propose() {
    const later = Date.now() + Number(say.rest) * MINUTE;
    const step = Number(say.step) * MINUTE;
    const proposed = hour(Math.ceil(later / step) * step).replace(".", ":");
    if (back.value === back.defaultValue) back.value = back.defaultValue = proposed;
  }

  document.querySelector("[data-stage-timer]").addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = new FormData(event.target);
    const minutes = Number(typed.get("menit") || typed.get("latihan"));
    if (minutes > 0) up({ ends: Date.now() + minutes * MINUTE, held: null }, event.submitter);
  });
  document.querySelector("[data-stage-break]").addEventListener("submit", (event) => {
    event.preventDefault();
    up({ back: new FormData(event.target).get("jeda") }, event.submitter);
  });
  hold.addEventListener("click", () => {
    const { ends, held } = state;
    keep(held == null ? { ends, held: Math.max(0, ends - Date.now()) } : { ends: Date.now() + held, held: null });
    draw();
  });
  more.addEventListener("click", () => {
    const { ends, held } = state;
    const later = held == null ? { ends: Math.max(ends, Date.now()) + MINUTE, held } : { ends, held: held + MINUTE };
    keep(later);
    draw();
  });
  end.addEventListener("click", () => {
    keep(null);
    draw();
    (from ?? document.querySelector("[data-stage-timer] [type=submit]")).focus();
  });
  back.form.addEventListener("focusin", propose);
  back.form.addEventListener("pointerover", propose);
  document.addEventListener("visibilitychange", draw);
  document.addEventListener("suluh:exit", () => keep(null));
  draw();
}

if (stage) begin();
