// A person with Chromium at a single-page app, and at the shop's own pages where the app sends them.

import { chromium } from "playwright-core";

import { hear, report } from "./talk.mjs";

const told = await hear();
const browser = await chromium.launch({
  executablePath: told.chromium,
  args: ["--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const page = await browser.newPage();
page.setDefaultTimeout(60_000);
const complaints = [];
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(String(error)));

try {
  await page.goto(told.app);
  await outcome("start");

  await page.click("#sign-in");
  await page.fill("input[name=email]", told.email);
  await page.click("main form button[type=submit]");
  await page.waitForURL("**/sign-in/code**");
  await page.fill("input[name=code]", await codeFromTheMail());
  await page.click("main form button[type=submit]");
  await page.waitForURL("**/consent**");
  await page.click("button[value=allow]");
  const signedIn = await outcome("sign-in");

  const renewed = await press("renew");
  const known = await press("who");
  const complaintsSoFar = [...complaints];
  const revoked = await press("revoke");
  const void_ = await press("who");
  const over = await press("renew", "error");
  const left = await press("sign-out");

  await page.goto(`${told.issuer}/account`);
  report({
    signedIn, renewed, known, revoked, void: void_, over, left,
    arrivedAt: new URL(page.url()).pathname,
    complaints: complaintsSoFar,
  });
} finally {
  await browser.close();
}

async function press(id, part) {
  await page.click(`#${id}`);
  return outcome(id, part);
}

/** What the app shows once `did` is done: its outcome, or its error where one is expected. */
async function outcome(did, part = "outcome") {
  await page.waitForFunction(
    (expected) => {
      const shown = document.getElementById("outcome")?.textContent;
      return shown && JSON.parse(shown).did === expected;
    },
    did,
  );
  const shown = JSON.parse(await page.textContent("#outcome"));
  if (did !== "start" && !(part in shown)) throw new Error(`${did}: ${JSON.stringify(shown)}`);
  return shown[part];
}

async function codeFromTheMail() {
  const mails = await (await fetch(`${told.issuer}/dev/outbox.json`)).json();
  return mails.find((mail) => mail.to === told.email).subject.match(/\b\d{6}\b/)[0];
}
