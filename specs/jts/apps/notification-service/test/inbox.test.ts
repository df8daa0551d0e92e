import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../src/inbox.js";

test("keeps the latest hundred, counted from the first", () => {
  const inbox = new Inbox();
  for (let n = 1; n <= 120; n++) inbox.add(`event ${n}`);
  assert.equal(inbox.latest().length, 100);
  assert.equal(inbox.latest()[0]?.id, 21);
  assert.equal(inbox.latest().at(-1)?.text, "event 120");
});
