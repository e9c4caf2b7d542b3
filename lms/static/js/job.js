/*
 * Follow a job that runs on the server: [data-job="URL"] answers with JSON {settled, total, running, label}.
 * When it is over the page is asked for again, with its results. Without this script the page asks for itself every few seconds.
 */

const EVERY_MS = 1000;
const LONGEST_MS = 15000;
const place = document.querySelector("[data-job]");
const bar = place.querySelector("progress");
const label = place.querySelector("[data-job-label]");
let wait = EVERY_MS;

async function look() {
  try {
    const answer = await fetch(place.dataset.job, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (answer.status === 401 || answer.status === 404) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const job = await answer.json();
    bar.value = job.settled;
    bar.max = job.total;
    if (label.textContent !== job.label) label.textContent = job.label;
    if (!job.running) return location.reload();
    wait = EVERY_MS;
  } catch {
    wait = Math.min(wait * 2, LONGEST_MS);
  }
  setTimeout(look, wait);
}

setTimeout(look, EVERY_MS);
