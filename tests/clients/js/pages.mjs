// Every page a person may come to on the way into an app, and at the account, by the keyboard alone.

import { arrive, authorizeUrl, codeFromTheMail } from "./pages-chromium.mjs";
import { begin } from "./story.mjs";

const MAIN = "main form button.primary";
const { told, context, page, keys, look, meet, tell } = await begin();

await tell(async () => {
  await toTheCode();
  await toConsent();
  await toTheAccount();
  await out();
  await elsewhere();
});

async function toTheCode() {
  await page.goto(authorizeUrl(told, told.approved_app));
  await look("sign-in");
  await keys.type("#email", "nobody.example");
  await keys.press(MAIN);
  await look("sign-in-refused");
  await keys.type("#email", told.email);
  await keys.press(MAIN);
  await look("code");
  await keys.type("#code", wrong(await codeFromTheMail(told, told.email)));
  await keys.press(MAIN);
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
  await keys.type("#email", told.email);
  await keys.type("#password", "not the password");
  await keys.press(MAIN);
  await look("password-wrong");
  await page.goto(code);
  await keys.type("#code", await codeFromTheMail(told, told.email));
  await keys.press(MAIN);
  await look("consent");
  await answer("allow");
  await page.goto(authorizeUrl(told, told.unknown_app));
  await look("consent-stores");
  await answer("deny");
}

async function toTheAccount() {
  await signInElsewhere();
  await signInElsewhere();
  await page.goto(`${told.issuer}/account`);
  await look("account");
  await keys.type("#name", "Robin");
  await keys.sendTo("/account/name");
  await end("form[action$='/account/apps']", "account-disconnect");
  await end("form[action$='/account/sessions']");
  await end("input[value=others]");
  await keys.sendTo("/account/api-password");
  await look("account-api-password");
  await end("form[action$='/account/api-password']");
  await end("form[action$='/account/api-password/revoke']");
  await page.goto(`${told.issuer}/sign-in`);
  await look("signed-in");
}

/** Unfolds what would end something, and says yes. */
async function end(what, name) {
  const sure = page.locator("details", { has: page.locator(what) }).first();
  await keys.open(sure.locator("summary"));
  if (name) await look(name);
  await keys.press(sure.locator("button"));
}

async function answer(decision) {
  await keys.goTo(`button[value=${decision}]`);
  await arrive(page, told, keys.enter);
}

async function out() {
  await page.goto(`${told.issuer}/sign-out`);
  await look("sign-out");
  await keys.press(MAIN);
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
  await keys.type("#email", told.forgetful);
  await keys.press(MAIN);
  const guess = wrong(await codeFromTheMail(told, told.forgetful));
  for (let tries = 0; tries < 5; tries++) {
    await keys.type("#code", guess);
    await keys.press(MAIN);
  }
  await look("code-over");
}

/** The same person in another browser, so that the account has a session to end. */
async function signInElsewhere() {
  const other = await meet();
  await other.keys.signIn(told, told.email, "/sign-in");
  await other.page.context().close();
}

function wrong(code) {
  return code.replace(/^./, (digit) => (Number(digit) + 1) % 10);
}
