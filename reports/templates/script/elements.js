// Makes elements. Text is always added as text: names of outside may look like markup.

/** An element with these attributes; children are elements, or strings that become text. */
function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for a part of a drawing. */
function drawn(drawing, name, attributes = {}, ...children) {
  return filled(document.createElementNS(drawing.namespaceURI, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A button that does this when pressed. */
function button(text, pressed, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", pressed);
  return made;
}

/** A choice among [value, text] pairs, with a name in front of it. */
function choice(name, options, chosen) {
  const made = element("select");
  made.append(...options.map(([value, text]) => element("option", { value }, text)));
  made.addEventListener("change", chosen);
  return { made, label: element("label", {}, `${name} `, made) };
}
