"use strict";
// Filters and sorts the rows of tables with the class "rows", which may stand in groups that are folded (details.group).
(() => {
  const form = document.getElementById("filters");
  const tables = Array.from(document.querySelectorAll("table.rows"));
  if (!form || !tables.length) return;
  const status = document.getElementById("status");
  const rows = tables.flatMap((table) =>
    Array.from(table.tBodies[0].rows, (row, place) => ({ row, table, place, text: row.textContent.toLowerCase() })));
  const groups = Array.from(document.querySelectorAll("details.group"), (group) => ({ group, open: group.open }));
  const selects = Array.from(form.querySelectorAll("select"));

  const has = (values, value) => values === value || values.split(" ").includes(value);

  const filter = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = selects.filter((select) => select.value !== "");
    const filtered = words.length + chosen.length > 0;
    const matching = new Set();
    let number = 0;
    for (const { row, table, text } of rows) {
      const shown = words.every((word) => text.includes(word))
        && chosen.every((select) => has(row.dataset[select.name], select.value));
      row.hidden = !shown;
      number += shown ? 1 : 0;
      if (shown) matching.add(table.closest("details.group"));
    }
    for (const { group, open } of groups) {
      group.hidden = filtered && !matching.has(group);
      group.open = filtered ? matching.has(group) : open;
    }
    const noun = form.dataset.noun;
    status.textContent = `Showing ${number} of ${rows.length} ${rows.length === 1 ? noun : `${noun}s`}`;
  };

  const collator = new Intl.Collator("en", { numeric: true });
  const value = (entry, key) => entry.row.dataset[`${key}Rank`] ?? entry.row.dataset[key];

  const sortable = (table) => {
    const headers = Array.from(table.tHead.rows[0].cells).filter((cell) => cell.dataset.key);
    const sort = (header) => {
      const order = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      for (const other of headers) other.setAttribute("aria-sort", other === header ? order : "none");
      const key = header.dataset.key;
      const sign = order === "ascending" ? 1 : -1;
      const sorted = rows.filter((entry) => entry.table === table)
        .sort((a, b) => sign * collator.compare(value(a, key), value(b, key)) || a.place - b.place);
      table.tBodies[0].append(...sorted.map((entry) => entry.row));
    };
    for (const header of headers) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      button.addEventListener("click", () => sort(header));
      header.setAttribute("aria-sort", "none");
      header.replaceChildren(button);
    }
  };
  tables.forEach(sortable);

  // A link with the values of filters leads to the rows that have them.
  for (const link of document.querySelectorAll("a[data-namespace]")) {
    link.addEventListener("click", () => {
      form.reset();
      for (const select of selects) select.value = link.dataset[select.name] ?? "";
      filter();
      document.querySelector(link.hash).focus();
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
