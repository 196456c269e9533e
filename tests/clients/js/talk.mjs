// How a script here speaks with the test that runs it: one JSON object a line, on stdin and stdout.

import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** What the test says next; the first is what the script needs to know. */
export async function hear() {
  return JSON.parse((await lines.next()).value);
}

/** The URL outside the shop at which a person's browser arrives that is sent to `url`. */
export async function send(url) {
  say({ send: String(url) });
  return new URL((await hear()).arrived);
}

/** What the test will look at; the script ends. */
export function report(facts) {
  say({ report: facts });
  process.stdin.destroy();
}

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
