// A button beside each command that repeats a scenario.

function watchCommands() {
  for (const command of document.querySelectorAll(".repeat code")) {
    const told = element("output");
    const copy = button("copy", async () => {
      told.textContent = (await copied(command)) ? "copied" : "selected: copy it with the keyboard";
    });
    copy.addEventListener("blur", () => told.replaceChildren());
    command.after(" ", copy, " ", told);
  }
}

/** Whether the clipboard has the text; where a page may not write to it, the text is selected. */
async function copied(command) {
  try {
    await navigator.clipboard.writeText(command.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(command);
    return false;
  }
}
