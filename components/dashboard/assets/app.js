// Enhancements beyond HTML and htmx. Every page works without them.
"use strict";

// A checkbox that selects all checkboxes with a name in its form.
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.ticks;
  if (!name) return;
  for (const box of event.target.form.elements) {
    if (box.type === "checkbox" && box.name === name) box.checked = event.target.checked;
  }
});

// Elements that need scripts are hidden without them.
for (const part of document.querySelectorAll(".if-script")) part.hidden = false;

// A reply without the expected element, such as the sign-in page, replaces nothing. After a user action, the browser opens it
// as a page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, triggeringEvent } = event.detail.requestConfig;
  const selector = elt.closest("[hx-select]")?.getAttribute("hx-select");
  const page = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
  if (!selector || page.querySelector(selector)) return;
  event.detail.shouldSwap = false;
  const type = triggeringEvent?.type;
  if (type === "click" || type === "submit" || type === "change") window.location.assign(event.detail.xhr.responseURL);
  else fail(elt, `This part of the page could not be loaded (status ${event.detail.xhr.status}). Reload the page.`);
});

// A request that takes long shows a line at the top of the page; one that fails says so.
let waiting = 0;
document.addEventListener("htmx:beforeRequest", () => {
  waiting += 1;
  document.querySelectorAll("main > .notice.lost").forEach((old) => old.remove());
  document.documentElement.classList.add("busy");
});
document.addEventListener("htmx:afterRequest", () => {
  waiting -= 1;
  if (!waiting) document.documentElement.classList.remove("busy");
});
const LOST = {
  "htmx:sendError": "Gatehouse cannot be reached. Check your connection and try again.",
  "htmx:timeout": "Gatehouse did not answer in time. Try again.",
};
for (const [name, text] of Object.entries(LOST)) document.addEventListener(name, (event) => fail(event.detail.elt, text));

// Shows an error where the content was expected, or above the page, and announces it to screen readers.
function fail(part, text) {
  const place = part?.querySelector?.(".waiting");
  const notice = document.createElement("p");
  notice.className = "notice bad lost";
  notice.setAttribute("role", "alert");
  notice.textContent = text;
  if (place && part.getAttribute("hx-trigger") === "load") {
    place.replaceWith(notice);
    return;
  }
  document.querySelector("main").prepend(notice);
  notice.scrollIntoView({ block: "nearest" });
}

// An issue opens beside the list on wide screens, otherwise on its own page. Modified clicks open another tab.
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

// Moves the focus to the opened issue, for screen readers and keyboards.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "detail") event.target.focus();
});
// Filling in a field, or ticking a box, chooses what it belongs to: a radio button or an option of a list.
document.addEventListener("input", (event) => {
  const { dataset, type, checked, value } = event.target;
  const choice = document.getElementById(dataset?.chooses);
  if (!choice || (type === "checkbox" ? !checked : type === "date" && !value)) return;
  choice[choice.tagName === "OPTION" ? "selected" : "checked"] = true;
});

// The upload form: drag and drop, and a progress bar.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const state = document.getElementById(form.dataset.upload);
  const [bar, status, cancel] = ["progress", "[role=status]", "button"].map((what) => state.querySelector(what));
  const file = form.querySelector("input[type=file]");
  const send = form.querySelector("button:not([type=button])");
  let request = null;

  for (const kind of ["dragenter", "dragover"]) {
    form.addEventListener(kind, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      form.classList.add("over");
    });
  }
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.classList.remove("over");
  });
  form.addEventListener("drop", (event) => {
    form.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    if (event.dataTransfer.files.length === 1) file.files = event.dataTransfer.files;
    else show("Drop a single file. Each report becomes its own scan.");
  });

  // Shows an error above the form, and announces it to screen readers.
  function show(text) {
    document.querySelectorAll("main > .notice").forEach((old) => old.remove());
    const notice = document.createElement("p");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    notice.textContent = text;
    form.before(notice);
    notice.scrollIntoView({ block: "nearest" });
  }

  function finish(text) {
    request = null;
    cancel.hidden = false;
    state.hidden = true;
    send.disabled = false;
    if (text) show(text);
  }

  function progress(sent, total) {
    const percent = Math.floor((100 * sent) / total);
    if (percent < 100) bar.value = percent;
    else bar.removeAttribute("value");
    // Once everything is sent, the report may be processed even if the connection breaks.
    cancel.hidden = percent === 100;
    // Announces steps of 10 percent only.
    const step = percent - (percent % 10);
    const text = percent < 100 ? `${step} % uploaded` : "Uploaded. Processing the report …";
    if (status.textContent !== text) status.textContent = text;
  }

  function done() {
    // A failed upload answers with the form; a successful one redirects.
    const url = new URL(request.responseURL, location.href);
    if (url.pathname !== new URL(form.action).pathname) {
      finish("");
      location.assign(url);
      return;
    }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const notice = page.querySelector("main .notice.bad, .notice.bad");
    const text = notice ? notice.textContent : `The upload failed with status ${request.status}.`;
    finish(text.replace(" Select the file again before you retry.", ""));
  }

  form.addEventListener("submit", (event) => {
    if (request || !file.files.length) return;
    event.preventDefault();
    request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (sent) => sent.lengthComputable && progress(sent.loaded, sent.total));
    request.addEventListener("load", done);
    request.addEventListener("error", () => finish(cancel.hidden
      ? "The connection broke after the upload. Check the list of security tests before you retry."
      : "The connection broke before the upload was complete. Try again."));
    request.addEventListener("abort", () => finish("Upload cancelled."));
    bar.value = 0;
    status.textContent = "";
    state.hidden = false;
    send.disabled = true;
    request.send(new FormData(form));
  });
  cancel.addEventListener("click", () => request?.abort());
}
