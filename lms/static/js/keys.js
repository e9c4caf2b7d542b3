// Arrow keys follow the links marked with `data-key`, unless somebody is typing or choosing.
const BUSY = "input, textarea, select, [contenteditable], [tabindex='0'], summary";

document.addEventListener("keydown", (event) => {
  const plain = !(event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
  if (!plain || event.defaultPrevented || event.target.closest(BUSY)) return;
  const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (link) link.click();
});
