// What axe-core, the console, a ruler and the Tab key say of a page in both widths and both colour schemes, and
// pictures of it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { holdTab } from "./keyboard.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// Each width is judged whole in one colour scheme, and all colours once; the last sight is for the ruler and pictures.
const COLOURS = { runOnly: ["color-contrast", "link-in-text-block"] };
const SIGHTS = [
  { width: 1280, colorScheme: "light", rules: {} },
  { width: 1280, colorScheme: "dark", rules: COLOURS },
  { width: 390, colorScheme: "dark", rules: {} },
  { width: 390, colorScheme: "light", rules: null },
];

/** A function that looks at the page as it stands, and remembers it in `looks` under a name. */
export function looking(page, told, complaints, looks) {
  return async (name) => {
    const milliseconds = await page.evaluate(() => Math.round(performance.getEntriesByType("navigation")[0].duration));
    // Evaluated rather than inserted: the page's policy would refuse the script.
    await page.evaluate(axe);
    for (const { width, colorScheme, rules } of SIGHTS) {
      await page.setViewportSize({ width, height: 800 });
      // Without motion: colours that are still on their way are neither this scheme's nor the other's.
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const picture = told.pictures && `${told.pictures}/${name}-${width}-${colorScheme}.png`;
      looks.push({ name, milliseconds, ...(await seen(page, rules, picture)) });
    }
    Object.assign(looks.at(-1), { complaints: complaints.splice(0), unreached: await unreached(page) });
  };
}

async function seen(page, rules, path) {
  if (path) await page.screenshot({ path, fullPage: true });
  const { violations } = rules ? await page.evaluate((options) => axe.run(options), rules) : { violations: [] };
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
  await holdTab(page, controls);
  // Twice as many as there are, for what else takes the focus: the page's end, and what scrolls.
  for (let more = 0; more < controls + 10; more++) {
    if (await page.evaluate(() => window.missed.size === 0)) break;
    await holdTab(page, 1);
  }
  return page.evaluate(() => [...window.missed.values()].map((element) => element.outerHTML.slice(0, 200)));
}
