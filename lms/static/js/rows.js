/*
 * Keying in a list by keyboard: Enter and the arrows move between rows, a letter that says all moves on by itself.
 *
 * The form (data-rows) is a plain form without this script. data-rows-fill writes its letter into empty rows here
 * instead of asking the server; data-rows-save is where Enter leads after the last row.
 */
"use strict";
const form = document.querySelector("form[data-rows]");
const fields = form ? [...form.querySelectorAll("input[type=text]")] : [];
const COMPLETE = /^[htla]$/i;

function go(index) {
  const target = fields[index] || (index >= fields.length && form.querySelector("[data-rows-last]"));
  if (!target) return;
  target.focus();
  if (target.select) target.select();
}

fields.forEach((field, index) => {
  field.addEventListener("keydown", (event) => {
    const step = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    go(index + step);
  });
  field.addEventListener("input", (event) => {
    if (event.inputType && event.inputType.startsWith("insert") && COMPLETE.test(field.value)) go(index + 1);
  });
});

if (form) {
  form.querySelector("[data-rows-fill]").addEventListener("click", (event) => {
    event.preventDefault();
    for (const field of fields) {
      if (!field.value.trim()) field.value = event.currentTarget.dataset.rowsFill;
    }
    go(0);
  });
}
