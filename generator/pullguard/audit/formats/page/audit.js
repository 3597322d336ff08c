
"use strict";
(() => {
  const form = document.getElementById("filters");
  const table = document.getElementById("table");
  if (!form || !table) return;
  const body = table.tBodies[0];
  const status = document.getElementById("status");
  const rows = Array.from(body.rows, (row, place) => ({ row, place, text: row.textContent.toLowerCase() }));
  const selects = Array.from(form.querySelectorAll("select"));

  const filter = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = selects.filter((select) => select.value !== "");
    let number = 0;
    for (const { row, text } of rows) {
      const shown = words.every((word) => text.includes(word))
        && chosen.every((select) => row.dataset[select.name] === select.value);
      row.hidden = !shown;
      number += shown ? 1 : 0;
    }
    status.textContent = `Showing ${number} of ${rows.length} ${rows.length === 1 ? "finding" : "findings"}`;
  };

  const collator = new Intl.Collator("en", { numeric: true });
  const keys = {
    severity: (entry) => entry.row.dataset.rank,
    namespace: (entry) => entry.row.dataset.namespace,
    workload: (entry) => entry.row.dataset.workload,
    rule: (entry) => entry.row.dataset.rule,
  };
  const headers = Array.from(table.tHead.rows[0].cells).filter((cell) => cell.dataset.key);

  const sort = (header) => {
    const order = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of headers) other.setAttribute("aria-sort", other === header ? order : "none");
    const key = keys[header.dataset.key];
    const sign = order === "ascending" ? 1 : -1;
    const sorted = rows.slice().sort((a, b) => sign * collator.compare(key(a), key(b)) || a.place - b.place);
    body.append(...sorted.map((entry) => entry.row));
  };

  for (const header of headers) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = header.textContent;
    button.addEventListener("click", () => sort(header));
    header.setAttribute("aria-sort", "none");
    header.replaceChildren(button);
  }
  for (const link of document.querySelectorAll("a[data-namespace]")) {
    link.addEventListener("click", () => {
      form.reset();
      form.elements.namespace.value = link.dataset.namespace;
      form.elements.state.value = "runs";
      filter();
      document.getElementById("findings").focus();
    });
  }
  let pending = 0;
  for (const event of ["change", "input"]) {
    form.addEventListener(event, () => {
      clearTimeout(pending);
      pending = setTimeout(filter, 60);
    });
  }
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
