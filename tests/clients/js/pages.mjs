// Every page a person may come to on the way into an app, and at the account.

import { looking } from "./looking.mjs";
import { arrive, authorizeUrl, codeFromTheMail, open, submit } from "./pages-chromium.mjs";
import { hear, report } from "./talk.mjs";

const told = await hear();
const { browser, context, page, complaints } = await open(told, { permissions: ["clipboard-write"] });
const looks = [];
const look = looking(page, told, complaints, looks);

try {
  await toTheCode();
  await toConsent();
  await toTheAccount();
  await out();
  await elsewhere();
  report({ looks });
} finally {
  await browser.close();
}

async function toTheCode() {
  await page.goto(authorizeUrl(told, told.approved_app));
  await look("sign-in");
  await page.fill("#email", "nobody.example");
  await submit(page);
  await look("sign-in-refused");
  await page.fill("#email", told.email);
  await submit(page);
  await look("code");
  await page.fill("#code", wrong(await codeFromTheMail(told, told.email)));
  await submit(page);
  await look("code-wrong");
}

async function toConsent() {
  const code = page.url();
  await page.goto(`${code}&resent=wait`);
  await look("code-resend-too-soon");
  await page.goto(`${code}&resent=yes`);
  await look("code-resent");
  await page.goto(new URL("/sign-in/password", told.issuer).href);
  await look("password");
  await page.fill("#email", told.email);
  await page.fill("#password", "not the password");
  await submit(page);
  await look("password-wrong");
  await page.goto(code);
  await page.fill("#code", await codeFromTheMail(told, told.email));
  await submit(page);
  await look("consent");
  await arrive(page, told, () => page.click("button[value=allow]"));
  await page.goto(authorizeUrl(told, told.unknown_app));
  await look("consent-stores");
  await arrive(page, told, () => page.click("button[value=deny]"));
}

async function toTheAccount() {
  await signInElsewhere();
  await page.goto(`${told.issuer}/account`);
  await look("account");
  await page.locator("details.sure summary").first().click();
  await look("account-disconnect");
  await page.goto(`${told.issuer}/account`);
  await submit(page, "form[action$='/account/api-password'] button");
  await look("account-api-password");
  await page.goto(`${told.issuer}/sign-in`);
  await look("signed-in");
}

async function out() {
  await page.goto(`${told.issuer}/sign-out`);
  await look("sign-out");
  await submit(page);
  await look("signed-out");
}

async function elsewhere() {
  await page.goto(authorizeUrl(told, "app_that_is_none"));
  await look("error");
  await page.goto(`${told.issuer}/nothing/here`);
  await look("not-found");
  await page.goto(`${told.issuer}/dev/outbox`);
  await look("outbox");
  await page.goto(`${told.issuer}/docs`);
  await look("docs");
  await page.goto(`${told.issuer}/sign-in`);
  await page.fill("#email", told.forgetful);
  await submit(page);
  const guess = wrong(await codeFromTheMail(told, told.forgetful));
  for (let tries = 0; tries < 5; tries++) {
    await page.fill("#code", guess);
    await submit(page);
  }
  await look("code-over");
}

/** The same person in a second browser, so that the account has a session to end. */
async function signInElsewhere() {
  const other = await (await browser.newContext()).newPage();
  await other.goto(`${told.issuer}/sign-in`);
  await other.fill("#email", told.email);
  await submit(other);
  await other.fill("#code", await codeFromTheMail(told, told.email));
  await submit(other);
  await other.context().close();
}

function wrong(code) {
  return code.replace(/^./, (digit) => (Number(digit) + 1) % 10);
}
