// Buttons that copy commands.
(() => {
  const button = (label, text, before) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "copy";
    made.textContent = "Copy";
    made.setAttribute("aria-label", label);
    const said = document.createElement("span");
    said.className = "copied";
    said.setAttribute("role", "status");
    made.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        said.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(before);
        said.textContent = "Selected";
      }
      setTimeout(() => { said.textContent = ""; }, 2000);
    });
    before.before(made, said);
  };
  for (const command of document.querySelectorAll("pre[data-copy]")) {
    const what = command.parentElement.querySelector("p").textContent;
    button(`Copy the command: ${what}`, command.textContent, command);
  }
})();
