// The operator or a store's owner at their pages, by the keyboard alone; and whom the owner invites.

import { readFile } from "node:fs/promises";

import { linkFromTheMail } from "./pages-chromium.mjs";
import { begin } from "./story.mjs";

const { told, page, keys, look, meet, tell } = await begin();

await tell({ store, operator }[told.who]);

async function store() {
  await keys.signIn(told, told.owner, "/store");
  await look("store-apps");
  await end("Disconnect Parcel Pilot", "store-disconnect");
  await look("store-disconnected");
  await end(`Revoke ${told.key}`);
  await keys.said("The key was revoked. It opens nothing any more.");
  await end(`Remove ${told.webhook}`);
  await keys.said("The webhook was removed. Nothing more is sent to it.");
  await customers();
  await people();
}

/** Unfolds what would end something, and says yes. */
async function end(what, name) {
  await keys.open(page.locator("summary", { hasText: what }));
  if (name) await look(name);
  await keys.press("details[open] button");
}

async function customers() {
  await keys.turnTo("Customers");
  await look("store-customers");
  await keys.type("#q", "nobody-at-all");
  await keys.send();
  await look("store-customers-none");
  await keys.type("#q", "robin");
  await keys.press(".search button");
  await keys.press(page.locator("td button", { hasText: "Allow" }));
  await keys.said("The customer may use the Customer API now.");
  await end("Withdraw robin@example.com");
  await keys.said("It was withdrawn. Password and tokens of this customer stopped.");
  await end("Withdraw from all");
  await keys.said("It was withdrawn from all. Their passwords and tokens stopped.");
  await end("Allow all");
  await keys.said("All customers may use the Customer API now.");
}

async function people() {
  await keys.turnTo("People");
  await keys.type("#email", told.guest);
  await keys.pick("role", "owner");
  await keys.press("main form button.primary");
  await look("store-staff");
  await join(await linkFromTheMail(told, told.guest));
  await keys.type("#email", told.owner);
  await keys.press("main form button.primary");
  await keys.begins("#email");
  await keys.type("#email", `other-${told.guest}`);
  await keys.press("main form button.primary");
  await keys.sendTo("/staff/invitations/revoke");
  await keys.said("The invitation was taken back.");
  await end(`Remove ${told.guest}`);
  await keys.said("They work here no longer.");
}

/** Whom the owner invited: in the owner's browser, where it is for somebody else, and then in one of their own. */
async function join(link) {
  const staff = page.url();
  await page.goto(link);
  await look("store-invitation-other");
  await page.goto(staff);
  const guest = await meet();
  await guest.keys.signIn(told, told.guest, new URL(link).pathname);
  await guest.look("store-invitation");
  await guest.keys.press("main form button.primary");
  await guest.look("store-joined");
  await guest.page.goto(link);
  await guest.look("store-invitation-over");
  await guest.page.context().close();
}

async function operator() {
  await keys.signIn(told, told.operator, "/operator");
  await look("operator");
  await requests();
  await apps();
  await persons();
  await keys.turnTo("Stores");
  await look("operator-stores");
  await keys.press("td a");
  await look("operator-stores-one");
  await audit();
}

async function requests() {
  await keys.press("a.button");
  await look("operator-request");
  await keys.press(".crumb a");
  await keys.press(page.locator("a.button", { hasText: told.good }));
  // The browser itself asks for what is missing.
  await keys.goTo("button[value=approve]");
  await keys.enter();
  await keys.begins("#reason");
  await keys.type("#reason", "All is as it should be.");
  await keys.press("button[value=approve]");
  await keys.said("It was approved. The app's admins get a mail.");
  await keys.press(page.locator("a.button", { hasText: told.bad }));
  await keys.type("#reason", "Its home page says nothing of it.");
  await keys.press("button[value=refuse]");
  await keys.said("It was refused. The app's admins get a mail with the reason.");
}

async function apps() {
  await keys.turnTo("Apps");
  await look("operator-apps");
  await keys.type("#q", told.bad);
  await keys.send();
  await keys.press("td a");
  await look("operator-apps-one");
  await act("Suspend the app", "operator-suspend");
  await keys.said("The app was suspended. No token of it works any more.");
  await act("Resume the app");
  await keys.said("The app was resumed.");
  await act("Approve the app");
  await keys.said("The app was approved.");
}

async function persons() {
  await keys.turnTo("People");
  await look("operator-people");
  await keys.type("#q", told.guest);
  await keys.press(".search button");
  await keys.press("td a");
  await look("operator-people-one");
  await act("Suspend this person");
  await keys.said("The person was suspended and is signed out everywhere.");
  await act("Resume this person");
  await keys.said("The person was resumed and may sign in again.");
}

async function act(what, name) {
  await keys.press(page.locator("a.button", { hasText: what }));
  if (name) await look(name);
  await keys.type("#reason", "It was asked for.");
  await keys.press("main form .form-end button");
}

async function audit() {
  await keys.turnTo("Audit log");
  await look("operator-audit");
  await keys.type("#event", "user.*");
  await keys.goTo("#since");
  await page.keyboard.type("01022026");
  await keys.press("main form button");
  await keys.goTo(".page-head a");
  const [download] = await Promise.all([page.waitForEvent("download"), keys.enter()]);
  const lines = (await readFile(await download.path(), "utf8")).split("\r\n");
  if (!lines.some((line) => line.includes(",user.suspended,"))) throw new Error(lines.join("\n"));
  await keys.press(page.locator("a.button", { hasText: "Clear" }));
}
