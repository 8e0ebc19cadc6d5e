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

// What is of use to scripts alone is shown where there are some.
for (const part of document.querySelectorAll(".if-script")) part.hidden = false;

// An answer that lacks what was asked for, such as the page to sign in on, takes nothing away: it is shown instead, unless
// nobody asked for it with a click.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt, triggeringEvent } = event.detail.requestConfig;
  const wanted = elt.closest("[hx-select]")?.getAttribute("hx-select");
  const page = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
  if (!wanted || page.querySelector(wanted)) return;
  event.detail.shouldSwap = false;
  const type = triggeringEvent?.type;
  if (type === "click" || type === "submit" || type === "change") window.location.assign(event.detail.xhr.responseURL);
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
// Typing what belongs to a choice chooses it.
document.addEventListener("input", (event) => {
  const choice = event.target.dataset?.chooses;
  if (choice) document.getElementById(choice).checked = true;
});

// Uploading a report: dropping a file on the form, and seeing how far it is.
for (const form of document.querySelectorAll("form[data-upload]")) {
  const state = document.getElementById(form.dataset.upload);
  const [bar, told, cancel] = ["progress", "[role=status]", "button"].map((what) => state.querySelector(what));
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
    else show("Drop one file: each report is a scan of its own.");
  });

  // What the page says, above the form; whoever does not see it hears it.
  function show(text) {
    document.querySelectorAll("main > .notice").forEach((old) => old.remove());
    const notice = document.createElement("p");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    notice.textContent = text;
    form.before(notice);
    notice.scrollIntoView({ block: "nearest" });
  }

  function over(text) {
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
    // From here on it may be taken whatever happens to the connection.
    cancel.hidden = percent === 100;
    // Not each percent is worth a word.
    const step = percent - (percent % 10);
    const text = percent < 100 ? `${step} % sent` : "Sent. The report is read and judged now.";
    if (told.textContent !== text) told.textContent = text;
  }

  function done() {
    // Where it was not taken, the answer is the form again; else it leads elsewhere.
    const there = new URL(request.responseURL, location.href);
    if (there.pathname !== new URL(form.action).pathname) {
      over("");
      location.assign(there);
      return;
    }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const notice = page.querySelector("main .notice.bad, .notice.bad");
    const text = notice ? notice.textContent : `The upload failed with the status ${request.status}.`;
    over(text.replace(" Choose the file again before you send the form.", ""));
  }

  form.addEventListener("submit", (event) => {
    if (request || !file.files.length) return;
    event.preventDefault();
    request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (sent) => sent.lengthComputable && progress(sent.loaded, sent.total));
    request.addEventListener("load", done);
    request.addEventListener("error", () => over(cancel.hidden
      ? "The connection broke after all of it was sent. Look at the security tests before you send it again."
      : "The connection broke before the report was taken. Try again."));
    request.addEventListener("abort", () => over("Cancelled. The report was not taken."));
    bar.value = 0;
    told.textContent = "";
    state.hidden = false;
    send.disabled = true;
    request.send(new FormData(form));
  });
  cancel.addEventListener("click", () => request?.abort());
}
