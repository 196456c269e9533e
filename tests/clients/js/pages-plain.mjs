// The whole login in a browser that runs no scripts, and Enter where it would answer for the person.

import { arrive, authorizeUrl, codeFromTheMail, open, submit } from "./pages-chromium.mjs";
import { hear, report } from "./talk.mjs";

const told = await hear();
const { browser, page, complaints } = await open(told, { javaScriptEnabled: false });

try {
  await page.goto(authorizeUrl(told, told.app, { response_mode: "form_post" }));
  await page.fill("#email", told.email);
  await submit(page);
  await page.fill("#code", await codeFromTheMail(told, told.email));
  await submit(page);
  await submit(page, "button[value=allow]");
  const allowed = await arrive(page, told, () => page.click("main form button"));

  await page.goto(authorizeUrl(told, told.app, { prompt: "consent" }));
  await page.locator("input[type=checkbox]:enabled").first().focus();
  const entered = await arrive(page, told, () => page.keyboard.press("Enter"));
  report({ allowed, entered, complaints });
} finally {
  await browser.close();
}
