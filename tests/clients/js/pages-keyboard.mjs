// Login and consent by somebody without a mouse, and the countdown before a second mail.

import { arrive, authorizeUrl, codeFromTheMail, open } from "./pages-chromium.mjs";
import { hear, report } from "./talk.mjs";

const told = await hear();
const { browser, page, complaints } = await open(told);

try {
  await page.clock.install();
  await page.goto(authorizeUrl(told, told.app));
  await page.keyboard.type(told.email);
  await enter("**/sign-in/code**");
  const waits = [await wait()];
  await page.clock.runFor(2_000);
  waits.push(await wait());
  await page.clock.runFor(30_000);
  waits.push(await wait());

  await page.keyboard.type(await codeFromTheMail(told, told.email));
  await enter("**/consent**");
  // Neither on the page nor in a box does Enter answer.
  await page.keyboard.press("Enter");
  await tabTo("input[type=checkbox]:enabled");
  await page.keyboard.press("Enter");
  await page.clock.runFor(1_000);
  const asked = new URL(page.url()).pathname;
  const ticked = await page.isChecked(":focus");
  await page.keyboard.press("Space");
  const unticked = await page.inputValue(":focus");
  await tabTo("button[value=deny]");
  await tabTo("button[value=allow]");
  const allowed = await arrive(page, told, () => page.keyboard.press("Enter"));
  report({ waits, asked, ticked, unticked, allowed, complaints });
} finally {
  await browser.close();
}

async function enter(where) {
  await Promise.all([page.waitForURL(where), page.keyboard.press("Enter")]);
}

async function tabTo(selector) {
  for (let stops = 0; stops < 20; stops++) {
    await page.keyboard.press("Tab");
    if (await page.locator(":focus").evaluate((element, wanted) => element.matches(wanted), selector)) return;
  }
  throw new Error(`Tab never comes to ${selector}`);
}

/** Whether the button for a new code is shut, and what stands below it. */
async function wait() {
  const note = page.locator("[data-countdown]");
  return {
    shut: await page.isDisabled("form.aside button"),
    seconds: (await note.count()) ? Number((await note.textContent()).match(/\d+/)[0]) : null,
  };
}
