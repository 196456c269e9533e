// The operator, a store's owner or a developer at their pages; the owner disconnects an app without a mouse.

import { open, submit } from "./pages-chromium.mjs";
import { looking, reach, signIn } from "./looking.mjs";
import { hear, report } from "./talk.mjs";

const told = await hear();
const { browser, context, page, complaints } = await open(told, { permissions: ["clipboard-write"] });
const looks = [];
const look = looking(page, told, complaints, looks);

try {
  await { store, developer, operator }[told.who]();
  report({ looks });
} finally {
  await browser.close();
}

async function store() {
  await signIn(page, told, told.owner, "/store");
  await look("store-apps");
  const parcels = page.locator("li", { hasText: "Parcel Pilot" });
  await reach(page, parcels.locator("summary"));
  await look("store-disconnect");
  await reach(page, parcels.locator("button"));
  await page.waitForURL("**/store/demo?done=app");
  await look("store-disconnected");
  await page.goto(`${told.issuer}/store/demo/customers`);
  await look("store-customers");
  await page.goto(`${told.issuer}/store/demo/customers?q=nobody-at-all`);
  await look("store-customers-none");
  await page.goto(`${told.issuer}/store/demo/staff`);
  await page.fill("#email", told.guest);
  await page.locator("button", { hasText: "Send an invitation" }).click();
  await page.waitForLoadState();
  await look("store-staff");
  const mails = await (await fetch(`${told.issuer}/dev/outbox.json`)).json();
  const link = mails.find((mail) => mail.to === told.guest).text.match(/http\S+\/invitations\/\S+/)[0];
  await page.goto(link);
  await look("store-invitation-other");
  await context.clearCookies();
  await signIn(page, told, told.guest, new URL(link).pathname);
  await look("store-invitation");
  await submit(page);
  await look("store-joined");
  await page.goto(link);
  await look("store-invitation-over");
}

async function developer() {
  await signIn(page, told, told.developer, "/developers/apps/demo-service/usage");
  await look("usage");
  await page.goto(`${told.issuer}/developers/apps/demo-parcels/usage`);
  await look("usage-empty");
  await page.goto(`${told.issuer}/developers/apps/demo-service/keys`);
  await page.fill("#name", "Till");
  await page.locator("input[name=scope]").first().check();
  await page.locator("button", { hasText: "Make the key" }).click();
  await page.waitForLoadState();
  await look("keys-made");
  await page.goto(`${told.issuer}/developers/apps/demo-service/keys`);
  await page.fill("#name", "Nothing ticked");
  await page.locator("button", { hasText: "Make the key" }).click();
  await page.waitForLoadState();
  await look("keys-refused");
  await page.goto(`${told.issuer}/developers/apps/demo-service/webhooks`);
  await look("webhooks-empty");
  await page.fill("#url", `${told.issuer}/nowhere`);
  await page.locator("button", { hasText: "Add the webhook" }).click();
  await page.waitForLoadState();
  await look("webhooks-made");
  await page.locator("td a").first().click();
  await page.waitForLoadState();
  await page.locator("button", { hasText: "Send a test message" }).click();
  await page.waitForLoadState();
  // The page's policy lets no script ask the server: it is looked at again until the answer has come.
  while (!(await page.content()).includes("404")) {
    await page.waitForTimeout(200);
    await page.reload();
  }
  await look("webhook");
  await page.locator("td a").first().click();
  await page.waitForLoadState();
  await look("delivery");
}

async function operator() {
  await signIn(page, told, told.operator, "/operator");
  await look("operator");
  await page.locator("a.button", { hasText: "Look at it" }).first().click();
  await page.waitForLoadState();
  await look("operator-request");
  for (const area of ["apps", "people", "stores"]) {
    await page.goto(`${told.issuer}/operator/${area}`);
    await look(`operator-${area}`);
    await page.locator("td a").first().click();
    await page.waitForLoadState();
    await look(`operator-${area}-one`);
  }
  await page.goto(`${told.issuer}/operator/apps/demo-parcels/suspend`);
  await look("operator-suspend");
  await page.goto(`${told.issuer}/operator/audit`);
  await look("operator-audit");
}
