// From signing up to a tried-out app in a browser that runs no scripts.

import { codeFromTheMail, open, submit } from "./pages-chromium.mjs";
import { hear, report } from "./talk.mjs";

const told = await hear();
const { browser, page, complaints } = await open(told, { javaScriptEnabled: false });

try {
  await page.goto(`${told.issuer}/developers/new`);
  await page.fill("#email", told.developer);
  await submit(page);
  await page.fill("#code", await codeFromTheMail(told, told.developer));
  await submit(page);
  await page.fill("#name", "Plain");
  await page.fill("#redirect_uris", "https://plain.example/back");
  await submit(page);
  const titles = await page.locator("h2").allTextContents();
  const secret = await page.locator("dd pre").nth(1).textContent();
  await page.goto(`${told.issuer}/developers`);
  await submit(page, ".app-list a");
  await submit(page, ".tabs li:last-child a");
  await submit(page);
  await submit(page, "button[value=allow]");
  report({ made: { titles, secret }, tried: await page.locator("main").textContent(), complaints });
} finally {
  await browser.close();
}
