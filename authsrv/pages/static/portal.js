// What the portal's forms say while they are typed; each works without it.
"use strict";

// What an app of another kind has no use for is not shown, and not sent.
const form = document.querySelector("form[data-kinds]");
const kindOf = () => form?.elements.type.value;
const sort = () => {
  for (const part of form.querySelectorAll("[data-for-kinds]")) {
    const fits = part.dataset.forKinds.split(" ").includes(kindOf());
    part.hidden = !fits;
    for (const input of part.querySelectorAll("input, select, textarea")) {
      input.disabled = !fits || (input.matches("select") && input.options.length === 0);
    }
  }
};
form?.addEventListener("change", (event) => {
  if (event.target.name === "type") {
    sort();
    judge();
  }
});

// The server judges redirect URIs: the same rules as when the form is sent.
const typed = document.querySelector("textarea[data-check]");
const verdicts = document.getElementById("redirect_uris-verdicts");
let waiting;
let latest = 0;
async function judge() {
  const uris = [...new Set(typed.value.split("\n").map((line) => line.trim()).filter(Boolean))];
  const mine = ++latest;
  const asked = new URLSearchParams([["type", kindOf() ?? typed.dataset.type], ...uris.map((uri) => ["uri", uri])]);
  const answer = await fetch(`${typed.dataset.check}?${asked}`, { headers: { Accept: "application/json" } });
  if (mine !== latest || !answer.ok || answer.redirected) {
    return;
  }
  const judged = await answer.json();
  verdicts.replaceChildren(
    ...judged.map(({ uri, fault }) => {
      const line = document.createElement("p");
      const code = document.createElement("code");
      line.className = fault ? "faulty" : "fine";
      code.textContent = uri;
      line.append(code, `: ${fault ?? typed.dataset.fine}`);
      return line;
    }),
  );
  if (judged.some(({ fault }) => fault)) {
    typed.setAttribute("aria-invalid", "true");
  } else {
    typed.removeAttribute("aria-invalid");
  }
}
typed?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(judge, 350);
});

if (form) {
  sort();
}
