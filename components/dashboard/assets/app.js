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

// An issue opens beside the list where there is room for it, and on its own page where not, or in another tab.
document.addEventListener("htmx:confirm", (event) => {
  const link = event.target;
  if (link.getAttribute("hx-target") !== "#detail") return;
  const click = event.detail.triggeringEvent;
  const elsewhere = click?.ctrlKey || click?.metaKey || click?.shiftKey;
  if (!elsewhere && window.matchMedia("(min-width: 80rem)").matches) return;
  event.preventDefault();
  if (elsewhere) window.open(link.href, "_blank", "noopener");
  else window.location.assign(link.href);
});

// Who reads by ear or by keyboard is led to it.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "detail") event.target.focus();
});
