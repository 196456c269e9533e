// Chromium for a person at the shop's own pages, and what each of these scripts does there.

import { chromium } from "playwright-core";

/** The browser; `complaints` gathers what a page says on the console, a refused style or script among it. */
export async function open(told, options = {}) {
  const browser = await chromium.launch({
    executablePath: told.chromium,
    args: ["--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  const context = await browser.newContext(options);
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    // A page that refuses has its status, and the app is not there: neither is a fault of the page's.
    const isOfThePage = message.location().url.includes("/static/");
    if (message.type() === "error" && (isOfThePage || !message.text().startsWith("Failed to load resource"))) {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { browser, context, page, complaints };
}

/** The link by which an app sends somebody here. */
export function authorizeUrl(told, clientId, changed = {}) {
  const url = new URL("/oauth/authorize", told.issuer);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: told.redirect_uri,
    scope: told.scope,
    state: "a state",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    ...changed,
  });
  return String(url);
}

export async function codeFromTheMail(told, email) {
  return (await newestMail(told, email)).subject.match(/\b\d{6}\b/)[0];
}

/** Where an invitation leads. */
export async function linkFromTheMail(told, email) {
  return (await newestMail(told, email)).text.match(/http\S+\/invitations\/\S+/)[0];
}

async function newestMail(told, email) {
  const mails = await (await fetch(`${told.issuer}/dev/outbox.json`)).json();
  return mails.find((mail) => mail.to === email);
}

/** What the browser asks the app for in the end; nobody is there to answer. */
export async function arrive(page, told, action) {
  const [request] = await Promise.all([
    page.waitForRequest((request) => request.url().startsWith(told.redirect_uri)),
    // The browser's own page about it, which would get in the way of what comes next.
    page.waitForEvent("framenavigated"),
    action(),
  ]);
  const carried = request.method() === "POST" ? request.postData() : new URL(request.url()).search;
  return { method: request.method(), ...Object.fromEntries(new URLSearchParams(carried)) };
}

/** Presses the main form's own button, and waits for the page that follows. */
export async function submit(page, button = "main form button.primary") {
  await Promise.all([page.waitForEvent("framenavigated"), page.locator(button).first().click()]);
  await page.waitForLoadState();
}
