// A trace in Perfetto's own page, which is in the folder PERFETTO: what it makes of the file counts.
// If PICTURE is a file, a picture of it goes there.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { test } from "node:test";
import { launch } from "./common.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

/** Its page, and the trace where this build of it looks for one. */
async function serveTrace(trace) {
  const server = createServer((request, answer) => {
    const path = new URL(request.url, "http://here").pathname;
    const file = path.endsWith("/localtrace") ? trace : join(process.env.PERFETTO, path === "/" ? "index.html" : path);
    if (path.endsWith("_info")) return answer.end("{}");
    if (!existsSync(file)) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
  });
  await new Promise(listens => server.listen(0, "127.0.0.1", listens));
  return server;
}

/** Rows of a query, in Perfetto's own tables. */
const query = (page, sql, ...columns) => page.evaluate(async ([sql, columns]) => {
  const rows = [], result = await app.trace.engine.query(sql);
  for (const row = result.iter({}); row.valid(); row.next()) rows.push(columns.map(name => row.get(name)).map(it => typeof it === "bigint" ? Number(it) : it));
  return rows;
}, [sql, columns]);

/** A poll that is clicked: Perfetto draws the arrow to it, and who woke it. */
async function picture(page, path) {
  const [[poll]] = await query(page, `select slice.id from slice join thread_track on track_id = thread_track.id join thread using (utid)
    where thread.name glob '*kitchen' and slice.name = 'poll' order by ts limit 1 offset 1`, "id");
  await page.evaluate(poll => app.trace.selection.selectSqlEvent("slice", poll, { scrollToSelection: true }), poll);
  await page.evaluate(() => waitForPerfettoIdle());
  await page.screenshot({ path, clip: { x: 0, y: 44, width: 1280, height: 366 } });
}

for (const requests of [1, 100]) test(`Perfetto opens the trace of ${requests}`, { timeout: 120000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "perfetto-")), file = join(folder, "run.json");
  execFileSync(process.env.DEMO, ["trace", "--requests", String(requests), "--out", file], { stdio: "ignore" });
  const server = await serveTrace(file), browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 880 } });
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction(() => window.app?.trace?.engine, null, { timeout: 60000 });
    await page.evaluate(() => waitForPerfettoIdle());
    if (process.env.PICTURE) await picture(page, process.env.PICTURE);

    assert.deepEqual(await query(page, "select name, value from stats where value > 0 and severity != 'info'", "name", "value"), []);
    const told = JSON.parse(readFileSync(file, "utf8")).traceEvents, count = (ph, name) => told.filter(event => event.ph === ph && (!name || event.name === name)).length;
    const [[slices, polls]] = await query(page, "select count(*) as slices, sum(name = 'poll') as polls from slice", "slices", "polls");
    assert.equal(slices, count("X") + count("i"));
    assert.equal(polls, count("X", "poll"));

    // Each coroutine has a track of its own, and each arrow ends at a poll.
    const names = (await query(page, "select name from thread where name glob '#*'", "name")).flat();
    assert.equal(new Set(names).size, names.length);
    for (const name of ["main", "client", "connection", "kitchen"]) assert.ok(names.some(it => it.endsWith(" " + name)), `${name}: ${names}`);
    const arrows = await query(page, `select out.name as waker, woken.name as woken, out.ts <= woken.ts as forwards
      from flow join slice out on slice_out = out.id join slice woken on slice_in = woken.id`, "waker", "woken", "forwards");
    assert.equal(arrows.length, count("s"));
    for (const [waker, woken, forwards] of arrows) {
      assert.equal(woken, "poll"); assert.equal(forwards, 1);
      assert.match(waker, /^(poll|dropped|wakes|job \d+|socket \d+ (read|writ)able|a timer is due|the thread .*)$/);
    }
  } finally { await browser.close(); server.close(); rmSync(folder, { recursive: true }); }
});
