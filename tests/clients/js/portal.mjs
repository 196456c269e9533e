// A developer at the portal from the first visit to the app's end.

import { looking, signIn } from "./looking.mjs";
import { open, submit } from "./pages-chromium.mjs";
import { hear, report } from "./talk.mjs";

const told = await hear();
const own = { permissions: ["clipboard-write"] };
const { browser, page, complaints } = await open(told, own);
const looks = [];
const look = looking(page, told, complaints, looks);

try {
  const app = await create();
  await run(app);
  await invite(app);
  await end(app);
  report({ looks });
} finally {
  await browser.close();
}

async function create() {
  await page.goto(`${told.issuer}/developers`);
  await look("portal-sign-in");
  await signIn(page, told, told.developer, "/developers");
  await look("portal-empty");
  await page.locator("a.primary").click();
  await page.fill("#name", "Parcel Pilot");
  await page.fill("#redirect_uris", "https://parcels.example/back\nhttp://parcels.example/back");
  await page.locator(".verdicts .faulty").waitFor();
  await look("portal-create");
  await submit(page);
  await look("portal-create-refused");
  await page.fill("#redirect_uris", "https://parcels.example/back");
  await submit(page);
  await look("portal-created");
  await page.goto(`${told.issuer}/developers`);
  await look("portal-apps");
  await page.locator(".app-list a").click();
  await page.waitForLoadState();
  return page.url();
}

async function run(app) {
  await look("portal-overview");
  await page.fill("#text", "It prints labels for parcels. Write to help@parcels.example.");
  await submit(page, "form[action$='/approval#approval'] button");
  await page.goto(`${app}/credentials`);
  await submit(page, "form[action$='/secrets'] button");
  await page.goto(`${app}/credentials`);
  await page.locator("summary .danger").first().click();
  await look("portal-secret-revoke");
  await page.goto(`${app}/settings`);
  await look("portal-settings");
  await page.setInputFiles("#file", { name: "logo.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await submit(page, "form[action$='/logo#logo'] button");
  await look("portal-logo-refused");
  await page.setInputFiles("#file", told.logo);
  await submit(page, "form[action$='/logo#logo'] button");
  await look("portal-logo");
  await page.goto(`${app}/events`);
  await look("portal-events");
  await page.goto(`${app}/try`);
  await look("portal-try");
  await submit(page);
  await submit(page, "button[value=allow]");
  await look("portal-tried");
}

async function invite(app) {
  await page.goto(`${app}/team`);
  await page.fill("#email", told.guest);
  await submit(page, "form[action$='/team'] button");
  await look("portal-team");
  const mails = await (await fetch(`${told.issuer}/dev/outbox.json`)).json();
  const link = mails.find((mail) => mail.to === told.guest).text.match(/http\S+\/invitations\/\S+/)[0];
  await page.goto(link);
  await look("portal-invitation-other");
  const theirs = await (await browser.newContext(own)).newPage();
  theirs.setDefaultTimeout(60_000);
  const lookThere = looking(theirs, told, complaints, looks);
  await signIn(theirs, told, told.guest, new URL(link).pathname);
  await lookThere("portal-invitation");
  await submit(theirs);
  await lookThere("portal-viewer");
  await theirs.context().close();
}

async function end(app) {
  await page.goto(`${app}/settings`);
  await page.fill("#name_again", "Parcel");
  await submit(page, "form[action$='/delete#delete'] button");
  await look("portal-delete-refused");
  await page.fill("#name_again", "Parcel Pilot");
  await submit(page, "form[action$='/delete#delete'] button");
  await page.goto(app);
  await look("portal-no-such-app");
}
