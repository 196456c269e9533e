// A developer at the pages of apps that run, by the keyboard alone: usage, API keys, webhooks and what they were sent.

import { begin } from "./story.mjs";

const { told, page, keys, look, tell } = await begin();

await tell(async () => {
  await usage();
  await apiKeys();
  await webhooks();
  await deliveries();
  await changes();
});

async function usage() {
  await keys.signIn(told, told.developer, "/developers/apps/demo-service/usage");
  await look("usage");
  await keys.press(".crumb a");
  await keys.press(page.locator(".app-list a", { hasText: "Parcel Pilot" }));
  await keys.turnTo("Usage");
  await look("usage-empty");
}

async function apiKeys() {
  await keys.press(".crumb a");
  await keys.press(page.locator(".app-list a", { hasText: "Warehouse sync" }));
  await keys.turnTo("API keys");
  await keys.type("#name", "Till");
  await keys.tick("input[name=scope]");
  await keys.choose("#lives", "never");
  await keys.press("#new button.primary");
  await look("keys-made");
  await keys.turnTo("API keys");
  await keys.type("#name", "Nothing ticked");
  await keys.press("#new button.primary");
  await keys.begins("input[name=scope]");
  await look("keys-refused");
  await keys.open(page.locator("summary", { hasText: "Revoke Till" }));
  await keys.press("details[open] button");
  await keys.said("The key was revoked. It opens nothing any more.");
}

async function webhooks() {
  await keys.turnTo("Webhooks");
  await look("webhooks-empty");
  await keys.type("#url", "http://shop.example/nowhere");
  await keys.press("#new button.primary");
  await keys.begins("#url");
  await keys.type("#url", `${told.issuer}/nowhere`);
  await keys.press("#new button.primary");
  await look("webhooks-made");
  await keys.press("td a");
}

async function deliveries() {
  await keys.sendTo("/do/ping");
  await untilAnswered();
  await look("webhook");
  await keys.press("td a");
  await look("delivery");
  await keys.sendTo("/redeliver");
  await keys.said("It is sent again, under the same webhook-id.");
  await keys.choose("#since", "1");
  await keys.sendTo("/redeliver");
  await keys.said("It is sent again, under the same webhook-id.");
}

async function changes() {
  await keys.open(page.locator("summary", { hasText: "Change" }));
  await keys.type("#url", `${told.issuer}/nowhere/else`);
  await keys.tick("input[value='order.updated']");
  await keys.press("details[open] button");
  await keys.said("The webhook was saved.");
  await keys.open(page.locator("summary", { hasText: "New secret" }));
  await keys.sendTo("/secret");
  await page.locator(".secret").waitFor();
  await keys.open(page.locator("summary", { hasText: "Switch off" }));
  await keys.sendTo("/do/disable");
  await keys.said("The webhook is off. What happens meanwhile is not told to it.");
  await keys.sendTo("/do/enable");
  await keys.said("The webhook is on again.");
  await keys.open(page.locator("summary", { hasText: "Remove" }));
  await keys.sendTo("/do/remove");
  await keys.said("The webhook was removed.");
}

/** The page's policy lets no script ask the server: it is looked at again until the answer has come. */
async function untilAnswered() {
  while (!(await page.content()).includes("404")) {
    await page.waitForTimeout(200);
    await page.reload();
  }
}
