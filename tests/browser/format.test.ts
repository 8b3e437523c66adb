import assert from "node:assert/strict";
import { durationText, timeText } from "../../backend/app/page/static/format.js";

describe("how the page writes", () => {
  for (const [seconds, text] of [
    [0, "under 1 ms"],
    [0.0004, "under 1 ms"],
    [0.0012, "1 ms"],
    [0.9994, "999 ms"],
    [0.9996, "1.00 s"],
    [9.994, "9.99 s"],
    [9.995, "10.0 s"],
    [59.94, "59.9 s"],
    [59.999, "1 min 0 s"],
    [125.2, "2 min 5 s"],
    [3599.6, "1 h 0 min"],
    [90_061, "25 h 1 min"],
  ] as const) {
    it(`${seconds} seconds as ${text}`, () => assert.equal(durationText(seconds), text));
  }

  it("a point in time with its date, to the second", () => {
    assert.match(timeText("2026-01-03T23:01:48.123456+00:00"), /2026.*\b48\b/);
  });
});
