// What axe-core, the console and a ruler say of a page in both widths and both colour schemes, and pictures of it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { codeFromTheMail, submit } from "./pages-chromium.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// Each width and each scheme once: what one does to a page, the other does not.
const SIGHTS = [
  { width: 1280, colorScheme: "light" },
  { width: 390, colorScheme: "dark" },
];

/** A function that looks at the page as it stands, and remembers it in `looks` under a name. */
export function looking(page, told, complaints, looks) {
  return async (name) => {
    const milliseconds = await page.evaluate(() => Math.round(performance.getEntriesByType("navigation")[0].duration));
    for (const { width, colorScheme } of SIGHTS) {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme });
      looks.push({ name, milliseconds, ...(await seen(page, `${told.pictures}/${name}-${width}-${colorScheme}.png`)) });
    }
    looks.at(-1).complaints = complaints.splice(0);
  };
}

async function seen(page, path) {
  await page.screenshot({ path, fullPage: true });
  // Evaluated rather than inserted: the page's policy would refuse the script.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  return {
    violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
    complaints: [],
    ...(await page.evaluate(() => ({
      bytes: performance.getEntries().reduce((sum, { decodedBodySize }) => sum + (decodedBodySize ?? 0), 0),
      sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }))),
  };
}

/** Signs somebody in who is on the way to this path. */
export async function signIn(page, told, email, path) {
  await page.goto(`${told.issuer}${path}`);
  await page.fill("#email", email);
  await submit(page);
  await page.fill("#code", await codeFromTheMail(told, email));
  await submit(page);
}

/** Presses Tab until the element is in focus, as somebody without a mouse does, then Enter. */
export async function reach(page, locator) {
  await page.locator("body").evaluate(() => document.activeElement?.blur());
  for (let steps = 0; steps < 200; steps++) {
    await page.keyboard.press("Tab");
    if (await locator.evaluate((element) => element === document.activeElement)) {
      await page.keyboard.press("Enter");
      return;
    }
  }
  throw new Error("no way there by the keyboard alone");
}
