/*
 * Keeps a part of a page as it is on the server: asks for the page again and takes the part from it.
 *
 * <div data-live="10"> seconds until the next question; the answer's own value says when to ask again.
 * Without this script a plain reload shows the same. While somebody is inside the part it stays as it is.
 * When the server does not answer, what is marked data-live-lost becomes visible.
 */
"use strict";
const shortest = 1;

function wait(part) {
  return Math.max(shortest, Number(part.dataset.live) || 10) * 1000;
}

async function renew() {
  const part = document.querySelector("[data-live]");
  const lost = document.querySelector("[data-live-lost]");
  if (!part) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-live]");
    if (!fresh) {
      location.reload();
      return;
    }
    if (lost) lost.hidden = true;
    part.dataset.live = fresh.dataset.live;
    if (!part.contains(document.activeElement)) part.replaceChildren(...fresh.childNodes);
  } catch {
    if (lost) lost.hidden = false;
  }
  setTimeout(renew, wait(part));
}

const first = document.querySelector("[data-live]");
if (first) setTimeout(renew, wait(first));
