// The live page in a real browser: what it shows, and what its buttons and keys do.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { clean, drawn, launch, open, order, serve, state, text } from "./common.mjs";

let browser, served;
before(async () => { browser = await launch(); served = await serve(); });
after(async () => { await browser.close(); await served.close(); });
const limit = { timeout: 90000 };

test("it loads without a complaint, and shows the lanes of a request", limit, async () => {
  const page = await open(browser, served.page);
  await order(page, 1);
  const names = await page.$$eval(".lane .who", all => all.map(it => it.textContent));
  for (const name of ["#1 main", "#2 accept", "#3 accept", "the thread", "the reactor", "other threads"]) assert.ok(names.includes(name), `${name} in ${names}`);
  assert.match(await text(page, "sentence"), /Nobody is ready\. The thread parks/);
  for (const kind of ["poll", "queue", "park", "ended", "asleep"]) assert.ok((await page.getAttribute(`#svg > path.${kind}, #svg g > path.${kind}`, "d")).length > 10, kind);
  assert.match(await text(page, "results"), /1 request: [\d.]+ ms/);
  assert.match(await text(page, "tab"), /somebody else, perhaps another thread#1 main/, "as `demo ps` and `demo step` say it");
  const lit = await page.$$eval("#code .lit", all => all.map(it => it.textContent));
  assert.deepEqual(lit, ["scheduler.park(&mut park);"]);
  clean(page); await page.close();
});

test("each wake in sight has its arrow, from the waker to the woken", limit, async () => {
  const page = await open(browser, served.page);
  await order(page, 1);
  const { last } = await state(page);
  for (let at = last; at > last - 90; at -= 15) {
    await page.evaluate(at => { const track = document.getElementById("track"); track.value = at; track.dispatchEvent(new Event("input")); }, at);
    await drawn(page);
    const [wanted, there] = await page.evaluate(() => {
      const box = document.getElementById("svg").getBoundingClientRect(), arrows = [...document.querySelectorAll("#svg g[data-event]")];
      const seen = arrows.map(it => +it.dataset.event);
      const from = Math.min(...seen), to = Math.max(...seen);
      arrows.forEach(it => { const line = it.querySelector("path.wake").getBoundingClientRect(); if (line.height < 8 || line.right > box.right) throw new Error("an arrow without length"); });
      return [loopPage.wakes.filter(it => it.n >= from && it.n <= to).map(it => it.n), seen];
    });
    assert.ok(there.length >= 2, `arrows around event ${at}`);
    assert.deepEqual(there, wanted);
  }
  clean(page); await page.close();
});

test("a blocking job is a bar while its thread works, and the wake's arrow begins at its end", limit, async () => {
  const fresh = await serve(), page = await open(browser, fresh.page);
  // A job may be done before anybody can wait for it. Then nobody is woken by it.
  const waited = () => page.evaluate(() => events.find(e => e.k === "woken" && e.by.k === "thread" && /^blocking/.test(e.by.name) && wakes.find(it => it.n === e.n).job?.ended !== null)?.n);
  for (let i = 0; i < 20 && await waited() === undefined; i++) await order(page, 3);
  const n = await waited();
  for (const key of ["", "t"]) {
    if (key) await page.keyboard.press(key);
    await page.evaluate(n => look(n), n); await drawn(page);
    // In true time a job may be short beside the waits around it: closer, as long as all of it is in sight.
    if (key) for (let i = 0; i < 30 && await page.evaluate(n => { const { job } = wakes.find(it => it.n === n); return xTo(job.ended) - xFrom(job.began) < 60 && x(n) - xFrom(job.began) < 180 && perMs < 4000; }, n); i++) { await page.keyboard.press("+"); await drawn(page); }
    if (key) { await page.evaluate(n => { leftMs = timeOf(n) - width() / perMs * .7; changed(true); }, n); await drawn(page); }
    const { job, label, a, begin, end, wake, foot, edge } = await page.evaluate(n => {
      const svg = document.getElementById("svg").getBoundingClientRect(), { job } = wakes.find(it => it.n === n), circle = document.querySelector(`#svg g[data-event="${n}"] circle`);
      const label = document.querySelector(`#svg text[data-job="${job.job}"]`)?.getBoundingClientRect();
      return { job: job.job, label: label && { left: label.left - svg.left, right: label.right - svg.left, mid: (label.top + label.bottom) / 2 - svg.top },
        a: x(job.a), begin: xFrom(job.began), end: Math.min(x(n), xTo(job.ended)), wake: x(n), foot: +circle.getAttribute("cy"), edge: TOP + areaH + 80 };
    }, n);
    assert.ok(a <= begin && begin <= end && end <= wake, `job ${job}: asked for at ${a}, from ${begin} to ${end}, woken at ${wake}`);
    assert.ok(foot > edge, "the arrow begins in the row of the other threads");
    assert.ok(label && Math.abs(label.mid - foot) < 4 && label.right < end + 1, `${JSON.stringify(label)} for ${a}, ${begin} to ${end}, beside ${foot}`);
    if (end - Math.max(begin, 178) > 60) assert.ok(label.left > begin, "it is written into its bar");
    assert.ok((await page.getAttribute("#svg path.job", "d")).length > 10);
  }
  await page.keyboard.press("t"); await page.keyboard.press("End");
  // Stopped between the question and the answer: nobody can know yet how long it takes.
  await page.click("#gate"); await page.waitForFunction(() => loopPage.gate.state === "closed");
  await page.click("[data-order='1']");
  for (let i = 0; i < 200 && await page.evaluate(() => !events.some(e => e.k === "jobqueued" && head.jobs.has(e.job))); i++) {
    await page.waitForFunction(() => loopPage.gate.stands);
    const { last } = await state(page);
    await page.click("#step"); await page.waitForFunction(last => loopPage.last > last, last);
  }
  for (let i = 0; i < 3; i++) { const { last } = await state(page); await page.click("#step"); await page.waitForFunction(last => loopPage.last > last, last); }
  await drawn(page);
  const open_ = await page.evaluate(() => [...head.jobs.keys()]);
  if (open_.length) {
    assert.ok((await page.getAttribute("#svg path.asked", "d")).length > 10);
    assert.match(await text(page, "under"), /the blocking pool: 1 job/);
    assert.ok((await page.$$eval("#svg text", all => all.map(it => it.textContent))).some(it => it.startsWith(`job ${open_[0]}`)));
  }
  await page.click("#gate"); await page.waitForFunction(() => loopPage.orders.at(-1).took !== null);
  clean(page); await page.close(); await fresh.close();
});

test("no label lies on another one, and none is cut off", limit, async () => {
  const fresh = await serve(), page = await open(browser, fresh.page);
  await order(page, 100);
  const { last } = await state(page);
  for (const key of ["", "t"]) {
    if (key) await page.keyboard.press(key);
    for (let at = last; at > last - 2000; at -= 173) {
      await page.evaluate(at => { const track = document.getElementById("track"); track.value = at; track.dispatchEvent(new Event("input")); document.getElementById("scroll").scrollTop = at % 97; }, at);
      await drawn(page);
      const wrong = await page.evaluate(() => {
        const svg = document.getElementById("svg").getBoundingClientRect(), lanes = document.getElementById("scroll").getBoundingClientRect(), wrong = [];
        const seen = [...document.querySelectorAll("#svg text")].map(it => {
          const { left, right, top, bottom } = it.getBoundingClientRect(), inLanes = it.closest("[clip-path]");
          return { what: it.textContent, left, right, top: inLanes ? Math.max(top, lanes.top) : top, bottom: inLanes ? Math.min(bottom, lanes.bottom) : bottom };
        }).filter(it => it.bottom > it.top);
        for (const [i, one] of seen.entries()) {
          if (one.right > svg.right + 1) wrong.push(`${one.what} is cut off`);
          for (const two of seen.slice(i + 1)) if (one.left < two.right - 1 && two.left < one.right - 1 && one.top < two.bottom - 3 && two.top < one.bottom - 3) wrong.push(`${one.what} on ${two.what}`);
        }
        return wrong;
      });
      assert.deepEqual(wrong, [], `at event ${at}`);
    }
  }
  clean(page); await page.close(); await fresh.close();
});

test("back and step change what is shown, and the sentence is the event's", limit, async () => {
  const page = await open(browser, served.page);
  await order(page, 1);
  await page.evaluate(() => look(head.n)); // what comes late moves nothing any more
  const said = [], { at: end } = await state(page);
  for (let i = 1; i <= 12; i++) {
    await page.click("#back"); await drawn(page);
    assert.equal((await state(page)).at, end - i);
    said.push(await text(page, "sentence"));
  }
  assert.match(await text(page, "status"), /looking back: event [\d,]+ of [\d,]+; the loop runs on/);
  assert.ok(new Set(said).size > 6, said.join("\n"));
  assert.ok(said.some(it => /The executor polls #\d+ connection\./.test(it)) && said.some(it => /has ended\./.test(it)), said.join("\n"));
  const picture = await page.innerHTML("#svg");
  for (let i = 11; i >= 1; i--) {
    await page.click("#step"); await drawn(page);
    assert.equal(await text(page, "sentence"), said[i - 1]);
  }
  assert.notEqual(await page.innerHTML("#svg"), picture);
  await page.click("#live"); await drawn(page);
  assert.equal((await state(page)).follow, true);
  clean(page); await page.close();
});

test("pause stops the loop for real, step lets one event happen, in both of two viewers", limit, async () => {
  const page = await open(browser, served.page), other = await open(browser, served.page);
  await page.click("#gate");
  await page.waitForFunction(() => loopPage.gate.state === "closed");
  await other.waitForFunction(() => loopPage.gate.state === "closed");
  await page.click("[data-order='1']");
  await page.waitForFunction(() => loopPage.gate.stands && loopPage.orders.at(-1)?.took === null);
  await page.waitForFunction(() => /stands still/.test(document.getElementById("status").textContent));
  const stood = (await state(page)).last;
  for (let i = 1; i <= 5; i++) {
    await page.click("#step");
    await page.waitForFunction(n => loopPage.last === n, stood + i);
    await other.waitForFunction(n => loopPage.last === n, stood + i);
  }
  assert.equal((await state(page)).orders.at(-1).answered, 0);
  await drawn(page);
  const phase = await page.$$eval("#code .lit", all => all.length);
  assert.ok(phase >= 1);
  await other.click("#gate"); // whoever looks on may let it run again
  await page.waitForFunction(() => loopPage.orders.at(-1).took !== null && loopPage.gate.state === "open");
  clean(page); clean(other); await page.close(); await other.close();
});

test("the world of the page is the world of the stand", limit, async () => {
  const page = await open(browser, served.page);
  for (let i = 0; i < 3; i++) {
    await page.evaluate(() => fetch("/loop/order", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ n: 20, way: "together" }) }));
    const before = (await state(page)).last;
    await page.waitForFunction(before => loopPage.last > before + 300, before);
    await page.click("#gate");
    await page.waitForFunction(() => loopPage.gate.stands || loopPage.orders.at(-1).took);
    const theirs = await page.evaluate(() => fetch("/loop/state").then(answer => answer.json()));
    await page.waitForFunction(n => loopPage.last >= n, theirs.n);
    const ours = await page.evaluate(n => {
      const world = worldAt(n), sources = {}, jobs = {};
      for (const [slot, { generation, kind, fd, local, peer }] of world.sources) sources[slot] = { generation, kind, fd, local, peer };
      for (const [job, it] of world.jobs) jobs[job] = it;
      return { n: world.n, t: world.t, ready: world.ready, phase: world.phase, sources, jobs, coroutines: [...world.tasks.values()] };
    }, theirs.n);
    for (const it of [...ours.coroutines, ...theirs.coroutines]) delete it.busy; // a sum of rounded numbers
    delete theirs.gate; delete theirs.now;
    assert.deepEqual(ours, theirs);
    await page.click("#gate");
    await page.waitForFunction(() => loopPage.orders.at(-1).took);
  }
  clean(page); await page.close();
});

test("slow motion lets one read along", limit, async () => {
  const page = await open(browser, served.page);
  await page.selectOption("#slow", "20");
  await page.waitForFunction(() => loopPage.gate.state === "slow");
  await order(page, 1);
  const { orders, last } = await state(page), { after, took } = orders.at(-1);
  const gaps = await page.evaluate(after => events.filter(e => e.n > after + 1).map(e => e.t - timeOf(e.n - 1)), after);
  assert.ok(gaps.length > 30 && last - after > 30, `${gaps.length} events`);
  assert.deepEqual(gaps.filter(gap => gap < 19), [], "it rests after each event");
  assert.ok(took > 20 * 30, `${took} ms`);
  await page.selectOption("#slow", "0");
  await page.waitForFunction(() => loopPage.gate.state === "open");
  clean(page); await page.close();
});

test("a coroutine tells its story: its line, its parent, its events", limit, async () => {
  const page = await open(browser, served.page);
  // One that has to wait for a job: a quick one is done before anybody can wait for it.
  const waits = () => page.evaluate(() => events.find(e => e.k === "waiting" && e.on.k === "job" && lives.get(e.task).name === "connection"));
  for (let i = 0; i < 30 && !await waits(); i++) await order(page, 1);
  const { n, task } = await waits();
  await page.evaluate(n => look(n + 1), n); await drawn(page);
  await page.click(`.lane:has(.who:text-is('#${task} connection'))`);
  await drawn(page);
  const story = await text(page, "tab");
  assert.match(story, /^#\d+ connection in slot \d+: /);
  assert.match(story, /Spawned at demo\/src\/http\/server\.rs:\d+ by #\d accept\./);
  assert.match(story, /The executor polls #\d+ connection\./);
  assert.match(story, /leaves its waker with the blocking pool \(job \d+\)\. \(demo\/src\/\S+\.rs:\d+\)/);
  assert.ok(await page.evaluate(() => document.querySelector("#story p:nth-child(2)").getBoundingClientRect().top < document.getElementById("tab").getBoundingClientRect().bottom && document.getElementById("tab").scrollTop === 0), "parent and line are in sight");
  const sentence = page.locator("#story li button").first(), words = (await sentence.textContent()).replace(/ \(\S+:\d+\)$/, "");
  await sentence.click(); await drawn(page);
  assert.equal(await text(page, "sentence"), words, "a line of the story leads to its moment");
  assert.ok(await page.locator("#story .link", { hasText: "accept" }).count() >= 1, "and its parent");
  await page.locator("#story .link", { hasText: "accept" }).first().click(); await drawn(page);
  assert.match(await text(page, "tab"), /It has spawned #\d+ connection/);
  clean(page); await page.close();
});

test("sentence, picture and buttons are in sight together at 200%", limit, async () => {
  const page = await open(browser, served.page, { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 });
  await order(page, 1);
  const hidden = ids => page.evaluate(ids => ids.filter(id => {
    const { left, right, top, bottom } = document.getElementById(id).getBoundingClientRect(), x = (left + right) / 2, y = Math.max(top, Math.min(top + 20, (top + bottom) / 2));
    return top < 0 || top >= innerHeight || left < 0 || right > innerWidth || !document.elementFromPoint(x, y)?.closest("#" + id);
  }), ids);
  const buttons = ["track", "gate", "slow", "back", "step", "play", "by-step", "by-time", "out", "in"];
  assert.deepEqual(await hidden(["sentence", ...buttons]), [], "at the top");
  assert.ok(await page.evaluate(() => new Set([...document.querySelectorAll("footer .bar button, footer .bar select")].filter(it => it.offsetParent).map(it => Math.round(it.getBoundingClientRect().bottom / 8))).size === 1), "one row of buttons");
  await page.evaluate(() => document.getElementById("picture").scrollIntoView());
  assert.deepEqual(await hidden(["sentence", "whence", ...buttons]), [], "before the picture");
  const room = await page.evaluate(() => document.querySelector("footer").getBoundingClientRect().top - document.getElementById("said").getBoundingClientRect().bottom);
  assert.ok(room > 220, `${room} pixels for the picture`);
  const said = await text(page, "sentence");
  await page.click("#back"); await drawn(page);
  assert.notEqual(await text(page, "sentence"), said);
  clean(page); await page.close();
});

test("who has ended, and who is not born yet, look different", limit, async () => {
  const fresh = await serve(), page = await open(browser, fresh.page);
  await order(page, 1);
  const lanes = () => page.$$eval(".lane", all => all.map(it => it.innerText.replace("\n", ": ")));
  await page.evaluate(() => { const track = document.getElementById("track"); track.value = 10; track.dispatchEvent(new Event("input")); }); await drawn(page);
  assert.ok((await lanes()).some(it => /nobody yet: slot 3, #4 is not born yet/.test(it)), (await lanes()).join("\n"));
  await page.keyboard.press("End"); await drawn(page);
  assert.ok((await lanes()).some(it => /free: slot 3, #4 has ended/.test(it)), (await lanes()).join("\n"));
  clean(page); await page.close(); await fresh.close();
});

test("together is faster than one after another, and the page shows both", limit, async () => {
  const page = await open(browser, served.page);
  await order(page, 3);
  await page.click("#way");
  await order(page, 3);
  const [together, after] = (await state(page)).orders.slice(-2);
  assert.deepEqual([together.way, after.way, together.failed, after.failed], ["together", "one after another", 0, 0]);
  assert.ok(together.took < after.took, `${together.took} < ${after.took}`);
  assert.match(await text(page, "results"), /3 together: .* · .*3 one after another: /);
  await page.click("#replay");
  await page.waitForFunction(() => loopPage.playing && loopPage.at < loopPage.last);
  clean(page); await page.close();
});

test("it works after a reload, and says when the stand is gone", limit, async () => {
  const fresh = await serve(), page = await open(browser, fresh.page);
  await order(page, 1);
  for (let i = 0; i < 2; i++) await order(page, 100); // more than one message can carry
  const { last } = await state(page);
  await page.addInitScript(() => addEventListener("DOMContentLoaded", () => {
    window.said = [];
    new MutationObserver(() => said.push(document.getElementById("status").textContent)).observe(document.getElementById("status"), { childList: true, characterData: true, subtree: true });
  }));
  const slowly = await page.context().newCDPSession(page);
  await slowly.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.reload();
  await page.waitForFunction(last => window.loopPage?.last >= last, last);
  await page.waitForFunction(() => /^live/.test(said.at(-1)));
  await page.waitForTimeout(700); // until the rate has been measured
  await slowly.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  const said = await page.evaluate(() => said);
  assert.ok(!said.some(it => /events\/s/.test(it)), `history is no live event: ${said}`);
  await page.click("#gate");
  await page.waitForFunction(() => loopPage.gate.state === "closed");
  clean(page);
  await fresh.close();
  await page.waitForFunction(() => /no connection/.test(document.getElementById("status").textContent));
  await page.close();
});

test("the keyboard is enough", limit, async () => {
  const page = await open(browser, served.page);
  for (let i = 0; i < 20 && await page.evaluate(() => document.activeElement?.dataset.order !== "1"); i++) await page.keyboard.press("Tab");
  const before = (await state(page)).orders.at(-1)?.order ?? 0;
  await page.keyboard.press("Enter");
  await page.waitForFunction(before => loopPage.orders.at(-1)?.order > before && loopPage.orders.at(-1).took !== null, before);
  await drawn(page);
  await page.keyboard.press("ArrowLeft"); // from here on, what comes late moves nothing
  const { at: from, last, follow } = await state(page);
  assert.ok(from < last && !follow, `${from} of ${last}`);
  await page.keyboard.press("ArrowLeft"); assert.equal((await state(page)).at, from - 1);
  await page.keyboard.press("Shift+ArrowLeft"); assert.equal((await state(page)).at, from - 11);
  await page.keyboard.press("ArrowRight"); assert.equal((await state(page)).at, from - 10);
  await page.keyboard.press("t"); await drawn(page);
  assert.equal(await page.getAttribute("#by-time", "aria-pressed"), "true");
  assert.match(await page.textContent("#svg"), /\d ms\+[\d.]+ (ms|µs)/);
  await page.keyboard.press("t"); await page.keyboard.press("End");
  await page.focus("#scroll"); await page.keyboard.press("Space");
  await page.waitForFunction(() => loopPage.gate.state === "closed");
  await page.keyboard.press("Space");
  await page.waitForFunction(() => loopPage.gate.state === "open");
  await page.keyboard.press("?"); assert.ok(await page.isVisible("#help")); await page.keyboard.press("Escape");
  for (let i = 0; i < 60 && await page.evaluate(() => !document.activeElement?.classList.contains("lane")); i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter"); await drawn(page);
  assert.match(await text(page, "tab"), /^#\d+ \w+/, "a lane can be chosen");
  const isIn = where => page.evaluate(where => !!document.activeElement?.closest(where), where);
  await page.focus("#story li button"); await page.keyboard.press("Enter"); await drawn(page);
  assert.ok(await isIn("#story li"), "a line of the story keeps the keyboard's place");
  await page.keyboard.press("Escape"); await drawn(page);
  assert.ok(await isIn("#tab"), "and so does its panel");
  await page.focus("#live"); await page.keyboard.press("Enter"); await drawn(page);
  assert.ok(await isIn("footer"), "a button that cannot be pressed again leaves it to its neighbour");
  await page.focus("#tab-waits"); await page.keyboard.press("Enter"); await drawn(page);
  await page.keyboard.press("Home"); await drawn(page); // not at the end, where events come by themselves
  const { at } = await state(page), tabs = [];
  for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"]) { await page.keyboard.press(key); await drawn(page); tabs.push(await page.evaluate(() => [document.activeElement.id, document.querySelector("[role=tab][aria-selected=true]").id])); }
  assert.deepEqual(tabs, ["tab-slab", "tab-story", "tab-waits", "tab-story"].map(it => [it, it]), "arrows move between the tabs");
  assert.equal((await state(page)).at, at, "and do not step");
  const nameless = await page.$$eval("button, select, input", all => all.filter(it => it.offsetParent && !(it.textContent.trim() || it.getAttribute("aria-label"))).length);
  assert.equal(nameless, 0, "everything that can be pressed has a name");
  clean(page); await page.close();
});

for (const [what, options] of [
  ["on a phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
  ["at 200%", { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
  ["in the dark", { colorScheme: "dark" }],
]) test(`it can be read ${what}`, limit, async () => {
  const page = await open(browser, served.page, options);
  await order(page, 1);
  if (await page.evaluate(() => W < 420)) {
    await order(page, 3);
    const cut = await page.$$eval("#status, #whence, #results", all => all.filter(it => it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight + 1).map(it => it.textContent));
    assert.deepEqual(cut, [], "nothing is cut off");
  }
  const { wide, small, dim } = await page.evaluate(() => {
    const light = colour => { const [r, g, b] = colour.match(/[\d.]+/g).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
    const paper = light(getComputedStyle(document.body).backgroundColor), seen = [...document.querySelectorAll("body *")].filter(it => it.checkVisibility() && [...it.childNodes].some(node => node.nodeType === 3 && node.data.trim()) && !it.matches("script, style, option"));
    const contrast = it => { const ink = light(getComputedStyle(it).fill !== "rgb(0, 0, 0)" && it.closest("svg") ? getComputedStyle(it).fill : getComputedStyle(it).color); return (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05); };
    return { wide: document.documentElement.scrollWidth - innerWidth, small: seen.filter(it => parseFloat(getComputedStyle(it).fontSize) < 12).map(it => it.textContent),
      dim: seen.filter(it => !it.closest("button, .on, :disabled") && !it.matches(".on") && contrast(it) < 4.5).map(it => it.textContent) };
  });
  assert.ok(wide <= 0, `${wide} pixels too wide`);
  assert.deepEqual(small, [], "no type below 12 pixels");
  assert.deepEqual(dim, [], "contrast of at least 4.5");
  clean(page); await page.close();
});
