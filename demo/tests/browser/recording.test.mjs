// The page of a recording: a file, without a server and without a network.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clean, drawn, launch, open, state, text } from "./common.mjs";

test("a recording plays offline, forward and back", { timeout: 90000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "recording-")), file = join(folder, "loop.html");
  const browser = await launch();
  try {
    execFileSync(process.env.DEMO, ["trace", "--out", file], { stdio: "ignore" });
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    await context.setOffline(true);
    const page = await open(context, "file://" + file);
    for (const id of ["order", "gate", "slow-label"]) assert.ok(await page.isHidden("#" + id), `${id} is for a loop that runs`);
    const { first, last, at } = await state(page);
    assert.equal(at, first + 1);
    assert.match(await text(page, "status"), /a recording: event \d+ of \d+/);
    const labels = await page.$$eval("#svg text", all => all.filter(it => it.getAttribute("x") < NAMES + 9).map(it => it.textContent));
    assert.ok(labels.includes("socket 1 readable"), `who was parked before says for what: ${labels}`);
    await page.keyboard.press("t"); await drawn(page);
    const [seen, wakes] = await page.evaluate(() => [[...document.querySelectorAll("#svg g[data-event]")].map(it => +it.dataset.event), loopPage.wakes.map(it => it.n)]);
    assert.deepEqual([Math.min(...seen), Math.max(...seen)], [wakes[0], wakes.at(-1)], "true time shows all of it");
    await page.keyboard.press("t");
    await page.click("#step"); await page.click("#step"); await page.click("#back"); await drawn(page);
    assert.equal((await state(page)).at, first + 2);
    await page.click("#play");
    await page.waitForFunction(at => loopPage.at > at + 3, first + 2);
    await page.click("#play"); assert.equal((await state(page)).playing, false);
    await page.keyboard.press("End"); await page.keyboard.press("t"); await drawn(page);
    assert.equal((await state(page)).at, last);
    assert.ok(await page.locator("#svg g[data-event]").count() > 3, "arrows");
    clean(page);
  } finally { await browser.close(); rmSync(folder, { recursive: true }); }
});
