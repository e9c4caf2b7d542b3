/*
 * Move the lines of a question up and down. Without this script each line has a number to choose, and that stays: whoever chooses a
 * number moves the line to that place.
 *
 * Every select names its item in what it sends (`2:1`: the second item stands first), so lines may stand in any order. A move changes the
 * numbers of several lines and reports one change, as if somebody had chosen a number; save.js sends all of them together.
 * The line somebody holds stays in the document and the others go round it: the focus is never lost.
 */

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

function start(field) {
  const list = field.querySelector("[data-order-list]");
  const said = field.querySelector("[data-order-said]");
  const rows = () => [...list.children];
  const count = rows().length;
  const selectOf = (row) => row.querySelector("select");
  const placeOf = (row) => selectOf(row).selectedIndex; // the first option is no place
  const nameOf = (row) => row.querySelector("label").textContent.trim().replace(/\s+/g, " ");
  const isWhole = () => new Set(rows().map(placeOf)).size === count && rows().every((row) => placeOf(row) > 0);
  let settled = false; // whether every line has a place of its own
  let reporting = false;
  let last = null; // the line moved by a button

  const end = field.querySelector("[data-order-end]").content.firstElementChild.cloneNode(true);
  const take = end.querySelector("[data-order-take]");
  list.after(end);
  for (const row of rows()) {
    const buttons = field.querySelector("[data-order-buttons]").content.cloneNode(true);
    for (const button of buttons.children) button.setAttribute("aria-label", fill(button.dataset.label, { item: nameOf(row) }));
    selectOf(row).after(buttons);
  }

  function refresh() {
    settled = isWhole();
    end.hidden = settled;
    rows().forEach((row, n) => {
      const [up, down] = row.querySelectorAll("[data-order-step]");
      up.setAttribute("aria-disabled", String(n === 0));
      down.setAttribute("aria-disabled", String(n === count - 1));
    });
  }

  /* Put the lines into this order round the one that stays where it is. */
  function arrange(wanted, kept) {
    const at = wanted.indexOf(kept);
    kept.before(...wanted.slice(0, at));
    kept.after(...wanted.slice(at + 1));
  }

  /* Return the lines with those that have a number at their places, the others in the gaps as they stand. */
  function byNumbers() {
    const found = Array(count).fill(null);
    const left = rows().filter((row) => {
      const at = placeOf(row) - 1;
      if (at < 0 || found[at]) return true;
      found[at] = row;
      return false;
    });
    return found.map((row) => row ?? left.shift());
  }

  function number() {
    rows().forEach((row, n) => {
      selectOf(row).selectedIndex = n + 1;
    });
    refresh();
  }

  function report(row, words) {
    said.textContent = words;
    reporting = true;
    selectOf(row).dispatchEvent(new Event("change", { bubbles: true }));
    reporting = false;
  }

  const moved = (row) => fill(said.dataset.moved, { item: nameOf(row), place: rows().indexOf(row) + 1, count });

  function sortByNumber() {
    refresh();
    if (!settled) return;
    const wanted = rows().sort((one, other) => placeOf(one) - placeOf(other));
    const kept = list.contains(document.activeElement) ? document.activeElement.closest("li") : wanted[0];
    arrange(wanted, kept);
    refresh();
  }

  list.addEventListener("click", ({ target, detail }) => {
    const button = target.closest("[data-order-step]");
    if (!button) return;
    const row = button.closest("li");
    if (detail > 1 && row !== last) return; // the second of two quick clicks, on the line that came under the pointer
    last = row;
    const stood = rows();
    const order = settled ? stood : byNumbers();
    const from = order.indexOf(row);
    const to = from + Number(button.dataset.orderStep);
    if (to >= 0 && to < count) {
      [order[from], order[to]] = [order[to], row];
    } else if (order.every((one, n) => one === stood[n])) {
      said.textContent = fill(button.dataset.edge, { item: nameOf(row) });
      return;
    }
    arrange(order, row);
    number();
    report(row, moved(row));
    button.scrollIntoView({ block: "nearest" });
  });

  take.addEventListener("click", () => {
    number();
    const [first] = rows();
    report(first, take.dataset.said);
    selectOf(first).focus(); // the button is gone
  });

  list.addEventListener("change", ({ target }) => {
    if (reporting) return;
    const row = target.closest("li");
    const place = placeOf(row);
    if (settled && place > 0) {
      const others = rows().filter((one) => one !== row);
      others.splice(place - 1, 0, row);
      arrange(others, row);
      number();
      said.textContent = moved(row);
    } else {
      sortByNumber();
      if (settled) said.textContent = moved(row);
    }
  });

  sortByNumber();
  window.addEventListener("pageshow", sortByNumber); // a browser that goes back fills the numbers in late
}

for (const field of document.querySelectorAll("[data-order]")) start(field);
