// What somebody without a mouse does at a page: presses keys, and nothing else.

import { codeFromTheMail } from "./pages-chromium.mjs";

/** Their hands at this page. `posts` gathers the path of each form that a key of theirs has sent. */
export function keyboardOf(page, posts = []) {
  let entered = false;
  page.on("request", (request) => {
    if (!request.isNavigationRequest()) return;
    if (entered && request.method() === "POST") posts.push(new URL(request.url()).pathname);
    entered = false;
  });

  const find = (where) => (typeof where === "string" ? page.locator(where) : where).first();

  /** Presses Tab, or Shift and Tab, until it is in focus. */
  async function goTo(where) {
    const element = await find(where).elementHandle();
    const stops = await page.locator("a, button, input, select, textarea, summary, [tabindex]").count();
    // Twice as many as there are, for what else takes the focus: the page's end, and the parts of a date.
    for (let presses = 0; presses < 2 * stops + 20; presses++) {
      const way = await element.evaluate(wayTo);
      if (way === "unseen") throw new Error(`nobody sees that the focus is at ${where}`);
      if (way === "here") return element;
      await page.keyboard.press(way);
    }
    throw new Error(`Tab never comes to ${where}`);
  }

  /** Enter, where the focus is, without waiting for what comes of it. */
  async function enter() {
    entered = true;
    await page.keyboard.press("Enter");
  }

  /** Enter, where the focus is, and the page that follows. */
  async function send() {
    await Promise.all([page.waitForEvent("framenavigated"), enter()]);
    await page.waitForLoadState();
  }

  /** Follows a link or presses a button that leads to another page. */
  async function press(where) {
    await goTo(where);
    await send();
  }

  /** Presses the button of the form that is sent there. */
  const sendTo = (action) => press(`form[action$='${action}'] button`);

  /** Goes to another tab of the pages of an app or of a desk. */
  const turnTo = (name) => press(page.locator(".tabs a", { hasText: name }));

  /** Unfolds what is behind a summary. */
  async function open(where) {
    const summary = await goTo(where);
    await page.keyboard.press("Enter");
    if (!(await summary.evaluate((element) => element.parentElement.open))) throw new Error(`${where} stays shut`);
  }

  /** Types into a field, in the place of what stood there. */
  async function type(where, text) {
    await goTo(where);
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Delete");
    await page.keyboard.type(text);
  }

  /** Ticks a box, or takes the tick away. */
  async function tick(where) {
    const box = await goTo(where);
    const before = await box.isChecked();
    await page.keyboard.press("Space");
    if ((await box.isChecked()) === before) throw new Error(`Space changes nothing at ${where}`);
  }

  /** Chooses one of a group of radio buttons: Tab comes to the one that is chosen, the arrows go on. */
  async function pick(name, value) {
    await goTo(`input[name=${name}]:checked`);
    await pressUntil("ArrowDown", async () => (await page.locator(":focus").inputValue()) === value);
  }

  /** Chooses from a list. */
  async function choose(where, value) {
    const list = await goTo(where);
    await page.keyboard.press("Home");
    await pressUntil("ArrowDown", async () => (await list.inputValue()) === value);
  }

  async function pressUntil(key, isThere) {
    for (let presses = 0; !(await isThere()); presses++) {
      if (presses > 20) throw new Error(`${key} does not lead there`);
      await page.keyboard.press(key);
    }
  }

  /** Picks a file in the window that the browser opens for it. */
  async function attach(where, file) {
    // Awaited from before the way there: the browser needs a moment until it hands its window over.
    const [chooser] = await Promise.all([
      page.waitForEvent("filechooser"),
      goTo(where).then(() => page.keyboard.press("Enter")),
    ]);
    await chooser.setFiles(file);
  }

  /** Throws unless the focus is here already: where a page begins, or goes on after a refusal. */
  async function begins(where) {
    const element = await find(where).elementHandle();
    const way = await element.evaluate(wayTo);
    if (way !== "here") throw new Error(`${page.url()} does not begin at ${where}`);
  }

  /** Throws unless the page says that this was done. */
  async function said(words) {
    const note = await page.locator("[role=status]").first().textContent();
    if (note !== words) throw new Error(`${page.url()} says: ${note}`);
  }

  /** Signs somebody in who is on the way to this path. */
  async function signIn(told, email, path) {
    await page.goto(`${told.issuer}${path}`);
    await begins("#email");
    await page.keyboard.type(email);
    await send();
    await begins("#code");
    await page.keyboard.type(await codeFromTheMail(told, email));
    await send();
  }

  return { goTo, enter, send, press, sendTo, turnTo, open, type, tick, pick, choose, attach, begins, said, signIn };
}

/** Which keys bring the focus nearer to the element; runs in the page. */
function wayTo(element) {
  const at = document.activeElement;
  if (at === element) {
    const { top, bottom, left, right } = element.getBoundingClientRect();
    const isInSight = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    return isInSight && getComputedStyle(element).outlineStyle !== "none" ? "here" : "unseen";
  }
  const isBehind = at !== document.body && at.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_PRECEDING;
  return isBehind ? "Shift+Tab" : "Tab";
}
