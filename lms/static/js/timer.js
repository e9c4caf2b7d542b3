/*
 * Shows how much time a sitting has left. The server decides; this only tells.
 *
 * <div data-timer data-left="1740" data-whole="1800"> seconds left when the page was made, and of the whole sitting. The clock of the device is never
 * read: time is counted from the page's arrival, and each receipt of an answer ("suluh:saved") brings the server's count again.
 * The line changes once a minute and can be hidden; screen readers hear it at half time, 5 minutes, 1 minute and the end, and never between.
 */
const MARKS = [300, 60, 0];

for (const timer of document.querySelectorAll("[data-timer]")) {
  const line = timer.querySelector("[data-timer-line]");
  const text = timer.querySelector("[data-timer-text]");
  const voice = timer.querySelector("[data-timer-voice]");
  const button = timer.querySelector("[data-timer-hide]");
  const { minutes, last, over } = timer.dataset;
  let left = Number(timer.dataset.left);
  let since = performance.now();
  let wake = null;

  const seconds = () => Math.max(0, Math.round(left - (performance.now() - since) / 1000));
  const words = (now) => (now <= 0 ? over : now < 60 ? last : minutes.replace("#", String(Math.ceil(now / 60))));

  // Marks already behind us are not told again after the next page.
  const waiting = [Math.round(Number(timer.dataset.whole) / 2), ...MARKS].filter((mark) => mark < left || mark === 0);

  function tell() {
    clearTimeout(wake);
    const now = seconds();
    if (text.textContent !== words(now)) text.textContent = words(now);
    const due = waiting.filter((mark) => now <= mark);
    if (due.length) {
      for (const mark of due) waiting.splice(waiting.indexOf(mark), 1);
      voice.textContent = words(now);
    }
    if (now > 0) wake = setTimeout(tell, 1000 * (now % 60 || 60) + 50);
  }

  button.addEventListener("click", () => {
    const label = button.textContent;
    button.textContent = button.dataset.show;
    button.dataset.show = label;
    text.parentElement.hidden = !text.parentElement.hidden;
  });
  document.addEventListener("suluh:saved", ({ detail }) => {
    if (typeof detail?.left !== "number") return;
    left = detail.left;
    since = performance.now();
    tell();
  });
  document.addEventListener("visibilitychange", tell);
  line.hidden = false;
  tell();
}
