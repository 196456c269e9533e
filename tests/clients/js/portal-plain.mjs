// From signing up to a tried-out app in a browser that runs no scripts, or by one who uses the keyboard alone.

import { signIn } from "./looking.mjs";
import { open, submit } from "./pages-chromium.mjs";
import { hear, report } from "./talk.mjs";

const told = await hear();
const { browser, page, complaints } = await open(told, { javaScriptEnabled: !told.plain });

try {
  await signIn(page, told, told.developer, "/developers/new");
  await (told.plain ? fillIn() : typeIn());
  const created = await page.locator("h2").allTextContents();
  const secret = await page.locator("dd pre").nth(1).textContent();
  await page.goto(`${told.issuer}/developers`);
  await press(".app-list a");
  await press(".tabs li:last-child a");
  await press("main form button.primary");
  await press("button[value=allow]");
  report({ created, secret, tried: await page.locator("main").textContent(), complaints });
} finally {
  await browser.close();
}

async function fillIn() {
  await page.fill("#name", "Plain");
  await page.fill("#redirect_uris", "https://plain.example/back");
  await submit(page);
}

async function typeIn() {
  // The page begins at the name.
  await page.keyboard.type("Keys");
  await tabTo("input[name=type]");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await tabTo("#redirect_uris");
  await page.keyboard.type("https://keys.example/back");
  await tabTo("form[data-kinds] button.primary");
  await Promise.all([page.waitForEvent("framenavigated"), page.keyboard.press("Enter")]);
  await page.waitForLoadState();
}

/** Follows a link or presses a button: by mouse in the plain browser, by Tab and Enter in the other. */
async function press(selector) {
  if (told.plain) return submit(page, selector);
  await tabTo(selector);
  await Promise.all([page.waitForEvent("framenavigated"), page.keyboard.press("Enter")]);
  await page.waitForLoadState();
}

async function tabTo(selector) {
  for (let stops = 0; stops < 60; stops++) {
    await page.keyboard.press("Tab");
    if (await page.locator(":focus").evaluate((element, wanted) => element.matches(wanted), selector)) return;
  }
  throw new Error(`Tab never comes to ${selector}`);
}
