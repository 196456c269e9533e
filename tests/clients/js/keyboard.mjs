// What somebody without a mouse does at a page: presses keys, and nothing else.

import { codeFromTheMail } from "./pages-chromium.mjs";

// How often a key is pressed before somebody gives up.
const MOST = 400;

/** Their hands at this page. `posts` gathers the path of each form that a key of theirs has sent. */
export function keyboardOf(page, posts = []) {
  let entered = false;
  page.on("request", (request) => {
    if (!request.isNavigationRequest()) return;
    if (entered && request.method() === "POST") posts.push(new URL(request.url()).pathname);
    entered = false;
  });

  const find = (where) => (typeof where === "string" ? page.locator(where) : where).first();

  /** Holds Tab down, or Shift and Tab, until it is in focus. */
  async function goTo(where) {
    const element = await find(where).elementHandle();
    for (let presses = 0; presses < MOST; ) {
      const { isHere, isSeen, isBehind, stops } = await element.evaluate(wayTo);
      if (isHere && !isSeen) throw new Error(`nobody sees that the focus is at ${where}`);
      if (isHere) return element;
      if (isBehind) await page.keyboard.down("Shift");
      await holdTab(page, stops);
      if (isBehind) await page.keyboard.up("Shift");
      presses += stops;
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
    if (!(await element.evaluate(wayTo)).isHere) throw new Error(`${page.url()} does not begin at ${where}`);
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

/** Holds Tab down for so many stops. They are on their way together: the browser takes them in their order. */
export async function holdTab(page, stops) {
  await Promise.all(Array.from({ length: stops }, () => page.keyboard.down("Tab")));
  await page.keyboard.up("Tab");
}

/** Where the focus is, seen from the element, and how many stops lie between, at a guess; runs in the page. */
function wayTo(element) {
  const at = document.activeElement;
  const { top, bottom, left, right } = element.getBoundingClientRect();
  const isInSight = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
  const usable = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const all = [...document.querySelectorAll(usable)].filter((one) => !one.disabled && one.checkVisibility());
  const steps = all.filter((one) => one === at || one === element || one.type !== "radio" || one.checked);
  const distance = steps.indexOf(element) - steps.indexOf(at);
  return {
    isHere: at === element,
    isSeen: isInSight && getComputedStyle(element).outlineStyle !== "none",
    isBehind: distance < 0,
    stops: Math.max(1, Math.abs(distance)),
  };
}
