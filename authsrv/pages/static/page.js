// The little that pages cannot do by themselves; every page works without it.
"use strict";

// A button that may be pressed again later counts down.
for (const button of document.querySelectorAll("button[data-wait]")) {
  const note = button.form.querySelector("[data-countdown]");
  const until = performance.now() + Number(button.dataset.wait) * 1000;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    if (left > 0) {
      note.textContent = note.dataset.countdown.replace("{}", left);
      setTimeout(tick, 250);
    } else {
      note.remove();
    }
  };
  tick();
}

// An answer on its way to an app (OAuth 2.0 Form Post Response Mode).
document.querySelector("form[data-send-now]")?.submit();

// Where Enter would answer a question that nobody meant to answer yet.
document.querySelector("form[data-no-enter]")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input")) {
    event.preventDefault();
  }
});

// After a refusal whoever uses the keyboard, or hears the page, goes on where the fault is.
const fault = document.querySelector("[aria-invalid=true]");
(fault?.matches("fieldset") ? fault.querySelector("input") : fault)?.focus();

// A form is sent once: a second click while the answer is on its way would only be refused.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
    }
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
  }
});

// What is there to be copied.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.copied;
  });
}
