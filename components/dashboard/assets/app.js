// Comfort that neither HTML nor htmx gives. Every page works without it.
"use strict";

// A box that ticks all boxes of its form that have the name it names.
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.ticks;
  if (!name) return;
  for (const box of event.target.form.elements) {
    if (box.type === "checkbox" && box.name === name) box.checked = event.target.checked;
  }
});
