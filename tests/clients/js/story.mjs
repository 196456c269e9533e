// A story that somebody tells by the keyboard alone: their browser, what its pages look like, and which forms they send.

import { keyboardOf } from "./keyboard.mjs";
import { looking } from "./looking.mjs";
import { open } from "./pages-chromium.mjs";
import { hear, report } from "./talk.mjs";

const OWN = { permissions: ["clipboard-write"] };

/** Who acts, with a page; `tell` runs the story and reports what was seen and sent, and what the story returns. */
export async function begin() {
  const told = await hear();
  const { browser, context, page, complaints } = await open(told, OWN);
  const looks = [];
  const posts = [];
  const at = (page) => ({ page, keys: keyboardOf(page, posts), look: looking(page, told, complaints, looks) });

  /** A second person in the same story, with a browser of their own. */
  async function meet() {
    const theirs = await (await browser.newContext(OWN)).newPage();
    theirs.setDefaultTimeout(60_000);
    return at(theirs);
  }

  async function tell(story) {
    try {
      const more = await story();
      report({ looks, posts, ...more });
    } finally {
      await browser.close();
    }
  }

  return { told, context, ...at(page), meet, tell };
}
