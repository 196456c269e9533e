// A developer at the portal from the first visit to the app's end, by the keyboard alone.

import { createECDH } from "node:crypto";

import { linkFromTheMail } from "./pages-chromium.mjs";
import { begin } from "./story.mjs";

const { told, page, keys, look, meet, tell } = await begin();

await tell(async () => {
  const made = await create();
  await askForApproval();
  await changeSecrets();
  await changeKeys();
  await changeSettings();
  await changeLogo();
  const tried = await tryIt();
  await meetOthers();
  await end();
  return { made, tried };
});

async function create() {
  await page.goto(`${told.issuer}/developers`);
  await look("portal-sign-in");
  await keys.signIn(told, told.developer, "/developers");
  await look("portal-empty");
  await keys.press("a.primary");
  await keys.begins("#name");
  await keys.type("#name", "Parcel Post");
  await keys.pick("type", "spa");
  await keys.pick("type", "web");
  await keys.type("#redirect_uris", "https://parcels.example/back\nhttp://parcels.example/back");
  await page.locator(".verdicts .faulty").waitFor();
  await look("portal-create");
  await keys.press("main form button.primary");
  await keys.begins("#redirect_uris");
  await look("portal-create-refused");
  await keys.type("#redirect_uris", "https://parcels.example/back");
  await keys.press("main form button.primary");
  const titles = await page.locator("h2").allTextContents();
  const secret = await page.locator("dd pre").nth(1).textContent();
  await look("portal-created");
  await keys.press(".crumb a");
  await look("portal-apps");
  await keys.press(".app-list a");
  await look("portal-overview");
  return { titles, secret };
}

async function askForApproval() {
  await keys.type("#text", "Labels.");
  await keys.sendTo("/approval#text");
  await keys.begins("#text");
  await keys.type("#text", "It prints labels for parcels. Write to help@parcels.example.");
  await keys.sendTo("/approval#text");
  await keys.sendTo("/approval/withdraw");
  await keys.said("The request was taken back.");
}

async function changeSecrets() {
  await keys.turnTo("Credentials");
  await keys.sendTo("/secrets");
  await keys.turnTo("Credentials");
  await keys.open(page.locator("summary", { hasText: "Set an end" }));
  await keys.choose("details[open] select[name=end]", "30");
  await keys.press("details[open] form[action$='/secrets/end'] button");
  await keys.said("The secret will end on the day you chose.");
  await keys.open("summary:has(.danger)");
  await look("portal-secret-revoke");
  await keys.press("details[open] form[action$='/secrets/end'] button");
  await keys.said("The secret was revoked. It no longer works.");
}

async function changeKeys() {
  await keys.open("#keys summary");
  await keys.type("#jwks", "no keys");
  await keys.press("#keys .fold button");
  await keys.begins("#jwks");
  await keys.type("#jwks", JSON.stringify({ keys: [publicKey()] }));
  await keys.press("#keys .fold button");
  await keys.said("The app now proves who it is with these keys.");
  await keys.type("#jwks", "");
  await keys.type("#jwks_uri", "https://parcels.example/keys.json");
  await keys.press("#keys .fold button");
  await keys.said("The app now proves who it is with these keys.");
  await look("portal-keys");
  await keys.press(page.locator("#keys button", { hasText: "Back to secrets" }));
  await keys.said("The app is back to secrets. Make one now.");
  await keys.sendTo("/secrets");
}

async function changeSettings() {
  await keys.turnTo("Settings");
  await look("portal-settings");
  await keys.type("#name", "");
  await keys.sendTo("/settings");
  await keys.begins("#name");
  await keys.type("#name", "Parcel Pilot");
  await keys.type("#redirect_uris", "https://parcels.example/back\nhttps://parcels.example/again");
  await keys.type("#post_logout_redirect_uris", "https://parcels.example/bye");
  await keys.tick("input[value='orders:read']");
  for (const link of ["client_uri", "policy_uri", "tos_uri"]) {
    await keys.type(`#${link}`, `https://parcels.example/${link}`);
  }
  await keys.sendTo("/settings");
  await keys.said("Saved.");
}

async function changeLogo() {
  await keys.attach("#file", { name: "logo.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
  await keys.sendTo("/logo#file");
  await keys.begins("#file");
  await look("portal-logo-refused");
  await keys.attach("#file", told.logo);
  await keys.sendTo("/logo#file");
  await look("portal-logo");
  await keys.sendTo("/logo/remove#logo");
  await keys.said("The logo was removed.");
}

async function tryIt() {
  await keys.turnTo("Events");
  await look("portal-events");
  await keys.turnTo("Try it");
  await look("portal-try");
  await keys.press("main form button.primary");
  await keys.press("button[value=allow]");
  await look("portal-tried");
  return page.locator("main").textContent();
}

async function meetOthers() {
  const guest = await meet();
  await keys.turnTo("Team");
  await invite(told.guest, "viewer");
  await look("portal-team");
  const team = page.url();
  const link = await linkFromTheMail(told, told.guest);
  await page.goto(link);
  await look("portal-invitation-other");
  await guest.keys.signIn(told, told.guest, new URL(link).pathname);
  await guest.look("portal-invitation");
  await guest.keys.press("main form button.primary");
  await guest.look("portal-viewer");
  await guest.keys.turnTo("Team");
  await guest.keys.open("summary:has(.danger)");
  await guest.keys.press("details[open] button");

  await page.goto(team);
  await invite(told.guest, "admin");
  await guest.page.goto(await linkFromTheMail(told, told.guest));
  await guest.keys.press("main form button.primary");
  await guest.page.context().close();
  await invite(`other-${told.guest}`, "viewer");
  await keys.sendTo("/team/revoke");
  await keys.said("The invitation was taken back.");
  await keys.press(page.locator("tr", { hasText: told.guest }).locator("form[action$='/team/role'] button"));
  await keys.said("The role was changed.");
  const member = page.locator("tr", { hasText: told.guest });
  await keys.open(member.locator("summary"));
  await keys.press(member.locator("details[open] button"));
  await keys.said("They are no longer in the team.");
}

async function invite(email, role) {
  await keys.type("#email", email);
  await keys.pick("role", role);
  await keys.sendTo("/team");
  await keys.said("The invitation was sent.");
}

async function end() {
  const app = new URL(".", page.url()).href.slice(0, -1);
  await keys.turnTo("Settings");
  await keys.type("#name_again", "Parcel");
  await keys.sendTo("/delete#name_again");
  await keys.begins("#name_again");
  await look("portal-delete-refused");
  await keys.type("#name_again", "Parcel Pilot");
  await keys.sendTo("/delete#name_again");
  await keys.said("The app was deleted. Nothing of it works any more.");
  await page.goto(app);
  await look("portal-no-such-app");
}

function publicKey() {
  const pair = createECDH("prime256v1");
  const point = pair.generateKeys();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString("base64url"));
  return { kty: "EC", crv: "P-256", x, y };
}
