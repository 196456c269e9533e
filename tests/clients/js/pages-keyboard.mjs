// Login and consent by somebody without a mouse, and the countdown before a second mail.

import { keyboardOf } from "./keyboard.mjs";
import { arrive, authorizeUrl, codeFromTheMail, open } from "./pages-chromium.mjs";
import { hear, report } from "./talk.mjs";

const told = await hear();
const { browser, page, complaints } = await open(told);
const posts = [];
const keys = keyboardOf(page, posts);

try {
  await page.clock.install();
  await page.goto(authorizeUrl(told, told.app));
  await page.keyboard.type(told.email);
  await keys.send();
  const waits = [await wait()];
  await page.clock.runFor(2_000);
  waits.push(await wait());
  await page.clock.runFor(30_000);
  waits.push(await wait());
  await keys.press("form.aside button");
  await keys.begins("#code");

  await page.keyboard.type(await codeFromTheMail(told, told.email));
  await keys.send();
  // Neither on the page nor in a box does Enter answer.
  await page.keyboard.press("Enter");
  await keys.goTo("input[type=checkbox]:enabled");
  await page.keyboard.press("Enter");
  await page.clock.runFor(1_000);
  const asked = new URL(page.url()).pathname;
  const ticked = await page.isChecked(":focus");
  await page.keyboard.press("Space");
  const unticked = await page.inputValue(":focus");
  await keys.goTo("button[value=deny]");
  await keys.goTo("button[value=allow]");
  const allowed = await arrive(page, told, keys.enter);
  report({ waits, asked, ticked, unticked, allowed, complaints, posts });
} finally {
  await browser.close();
}

/** Whether the button for a new code is shut, and what stands below it. */
async function wait() {
  const note = page.locator("[data-countdown]");
  return {
    shut: await page.isDisabled("form.aside button"),
    seconds: (await note.count()) ? Number((await note.textContent()).match(/\d+/)[0]) : null,
  };
}
