// A `demo serve` of our own, and pages of a real Chromium that look at it.
// DEMO is the binary, PLAYWRIGHT the folder of playwright-core, CHROMIUM the browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const { chromium } = createRequire(import.meta.url)(process.env.PLAYWRIGHT);
const children = new Set();
process.on("exit", () => children.forEach(child => child.kill("SIGKILL")));

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });

/** Opens a stand on free ports. */
export async function serve(...args) {
  const child = spawn(process.env.DEMO, ["serve", "--port", "0", ...args], { stdio: ["ignore", "pipe", "ignore"] });
  children.add(child);
  let said = "";
  await new Promise((resolve, reject) => {
    child.stdout.on("data", data => { said += data; if (said.includes("/orders -d")) resolve(); });
    child.on("exit", code => reject(new Error(`it ended with ${code}: ${said}`)));
  });
  child.removeAllListeners("exit");
  child.unref(); child.stdout.unref(); // a test that fails before it closes the stand must not keep us here
  return {
    child, stand: said.match(/is open: +(\S+)/)[1], page: said.match(/watch it at: +(\S+)/)[1],
    async close() {
      child.ref();
      const ended = new Promise(resolve => child.on("exit", resolve));
      child.kill("SIGTERM"); children.delete(child);
      assert.equal(await ended, 0, "it closes by itself");
    },
  };
}

/** A page that is ready, and fails the test if the console has an error, or anything is asked from elsewhere. */
export async function open(browser, url, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
  page.complaints = [];
  page.on("console", message => { if (["error", "warning"].includes(message.type())) page.complaints.push(message.text()); });
  page.on("pageerror", error => page.complaints.push(String(error)));
  page.on("request", request => { if (request.url() !== url && !request.url().startsWith(new URL(url).origin + "/") && !request.url().startsWith("data:")) page.complaints.push("asks " + request.url()); });
  await page.goto(url);
  await page.waitForFunction(() => window.loopPage?.last > 20 && document.querySelector("#sentence").textContent);
  return page;
}

export const state = page => page.evaluate(() => ({ ...loopPage, world: { ready: loopPage.world.ready, tasks: [...loopPage.world.tasks.values()] } }));
export const text = (page, id) => page.textContent("#" + id);

/** Orders, and waits until the stand has answered and the page has drawn it. */
export async function order(page, n) {
  const before = await page.evaluate(() => loopPage.orders.at(-1)?.order ?? 0);
  await page.click(`[data-order="${n}"]`);
  await page.waitForFunction(before => loopPage.orders.at(-1)?.order > before && loopPage.orders.at(-1).took !== null, before, { timeout: 60000 });
  await drawn(page);
}

/** Waits until everything that is known is drawn. While much happens the panel takes its time. */
export const drawn = page => page.evaluate(() => new Promise(done => {
  const limit = performance.now() + 1000, look = () => dirty && performance.now() < limit ? requestAnimationFrame(look) : done();
  setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(look)), 50);
}));

export function clean(page) { assert.deepEqual(page.complaints, []); }
