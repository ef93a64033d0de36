// Many coroutines, and many events.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { clean, drawn, launch, open, order, serve, state, text } from "./common.mjs";

let browser, served;
before(async () => { browser = await launch(); served = await serve(); });
after(async () => { await browser.close(); await served.close(); });

test("1,000 requests fit: lanes are used again, only what is visible is drawn, nothing jumps", { timeout: 180000 }, async () => {
  const page = await open(browser, served.page);
  await page.evaluate(() => { window.shift = 0; window.shifted = []; new PerformanceObserver(list => { for (const it of list.getEntries()) { shift += it.value; shifted.push(...it.sources.map(source => source.node?.id || source.node?.className || source.node?.nodeName)); } }).observe({ type: "layout-shift", buffered: false }); });
  for (let i = 0; i < 10; i++) await order(page, 100);
  const { orders, lanes } = await state(page);
  assert.ok(orders.slice(-10).every(it => it.answered === 100 && it.failed === 0), JSON.stringify(orders));
  assert.ok(lanes <= 240, `${lanes} lanes`);
  const elements = await page.evaluate(() => document.querySelectorAll("#svg *").length + document.querySelectorAll(".lane").length);
  assert.ok(elements < 1000, `${elements} elements`);
  const [shift, shifted] = await page.evaluate(() => [shift, [...new Set(shifted)]]);
  console.log(`1,000 requests: ${lanes} lanes, ${elements} elements drawn, layout shift ${shift.toFixed(4)}`);
  assert.ok(shift < .02, `layout shift ${shift} of ${shifted}`);
  await page.click("#fit"); await drawn(page);
  await page.evaluate(() => { const track = document.getElementById("track"); track.value = (+track.min + +track.max) / 2; track.dispatchEvent(new Event("input")); }); await drawn(page);
  assert.match(await page.textContent("#svg"), /\d+ lanes,a slot each/);
  clean(page); await page.close();
});

test("it stays smooth at 10,000 events/s, and says that it samples", { timeout: 120000 }, async t => {
  const fresh = await serve(), page = await open(browser, fresh.page);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  let begin = performance.now(), wanted = 0, asked = 0, waiting = 0;
  // Refused at once: all of its events are the loop's own work.
  const ask = () => new Promise(done => { asked++; waiting++; http.get(fresh.stand + "/burgers/0", { agent }, answer => answer.resume().on("end", done)).on("error", done); }).then(() => waiting--);
  const first = (await state(page)).last;
  for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 32 }, ask));
  await page.waitForFunction(() => loopPage.rate === 0);
  const each = ((await state(page)).last - first) / asked, perSecond = +(process.env.EVENTS_PER_SECOND ?? 13000) / each;
  begin = performance.now(); asked = 0;
  const clock = setInterval(() => { wanted = (performance.now() - begin) / 1000 * perSecond; while (asked < wanted && waiting < 300) ask(); asked = Math.max(asked, wanted - 300); }, 5);
  try {
    await page.waitForFunction(() => loopPage.rate > 400);
    const seen = await page.evaluate(() => new Promise(done => {
      let frames = 0, worst = 0, before, begin, draws, events, status = [];
      requestAnimationFrame(function frame(now) {
        if (begin === undefined) { begin = before = now; draws = loopPage.draws; events = loopPage.last; }
        frames++; worst = Math.max(worst, now - before); before = now;
        if (frames % 20 === 0) status.push(document.getElementById("status").textContent);
        const seconds = (now - begin) / 1000;
        if (seconds < 5) requestAnimationFrame(frame);
        else done({ fps: frames / seconds, draws: (loopPage.draws - draws) / seconds, events: (loopPage.last - events) / seconds, worst, status });
      });
    }));
    console.log(`${Math.round(seen.events)} events/s: ${seen.fps.toFixed(1)} frames/s, ${seen.draws.toFixed(1)} of them drawn, the longest ${Math.round(seen.worst)} ms; "${seen.status.at(-1)}"`);
    assert.ok(seen.fps >= 30 && seen.draws >= 25, "smooth");
    assert.ok(seen.status.some(it => /events\/s, too many to draw; you see \d+ of every \d+/.test(it)), seen.status.join("\n"));
    if (seen.events < 9000) t.diagnostic(`this machine made only ${Math.round(seen.events)} events/s meanwhile`);
    assert.ok((await text(page, "whence")).startsWith("a sample: "));
  } finally { clearInterval(clock); agent.destroy(); }
  clean(page); await page.close(); await fresh.close();
});
