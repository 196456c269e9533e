// What axe-core, the console, a ruler and the Tab key say of a page in both widths and both colour schemes, and
// pictures of it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIGHTS = [1280, 390].flatMap((width) => ["light", "dark"].map((colorScheme) => ({ width, colorScheme })));

/** A function that looks at the page as it stands, and remembers it in `looks` under a name. */
export function looking(page, told, complaints, looks) {
  return async (name) => {
    const milliseconds = await page.evaluate(() => Math.round(performance.getEntriesByType("navigation")[0].duration));
    for (const { width, colorScheme } of SIGHTS) {
      await page.setViewportSize({ width, height: 800 });
      // Without motion: colours that are still on their way are neither this scheme's nor the other's.
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const picture = told.pictures && `${told.pictures}/${name}-${width}-${colorScheme}.png`;
      looks.push({ name, milliseconds, ...(await seen(page, picture)) });
    }
    Object.assign(looks.at(-1), { complaints: complaints.splice(0), unreached: await unreached(page) });
  };
}

async function seen(page, path) {
  if (path) await page.screenshot({ path, fullPage: true });
  // Evaluated rather than inserted: the page's policy would refuse the script.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run());
  return {
    violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
    complaints: [],
    unreached: [],
    ...(await page.evaluate(() => ({
      bytes: performance.getEntries().reduce((sum, { decodedBodySize }) => sum + (decodedBodySize ?? 0), 0),
      sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }))),
  };
}

/** What can be used with a mouse and is never in focus, however often Tab is pressed. */
async function unreached(page) {
  const controls = await page.evaluate(() => {
    const usable = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    // A group of radio buttons is one stop; the arrows go on from there.
    const nameOf = (element) => (element.type === "radio" ? element.name : element);
    const shown = [...document.querySelectorAll(usable)].filter((one) => !one.disabled && one.checkVisibility());
    window.missed = new Map(shown.map((element) => [nameOf(element), element]));
    document.activeElement?.blur();
    document.addEventListener("focusin", ({ target }) => window.missed.delete(nameOf(target)));
    return window.missed.size;
  });
  // Twice as many as there are, for what else takes the focus: the page's end, and what scrolls.
  for (let presses = 0; presses < 2 * controls + 10; presses++) {
    await page.keyboard.press("Tab");
    if (presses >= controls - 1 && (await page.evaluate(() => window.missed.size === 0))) break;
  }
  return page.evaluate(() => [...window.missed.values()].map((element) => element.outerHTML.slice(0, 200)));
}
