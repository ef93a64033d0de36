// Makes the picture of the page for the documentation: PICTURE is the file.

import { launch, open, order, drawn, serve, text } from "./common.mjs";

const house = await serve();
const browser = await launch();
const page = await open(browser, house.page, { viewport: { width: 1280, height: 880 } });
await order(page, 3);
// Back to where the kitchen's first answer has come.
for (let i = 0; i < 400 && !/reactor wakes #\d+ kitchen/.test(await text(page, "sentence")); i++) {
  await page.keyboard.press("ArrowLeft");
  await drawn(page);
}
await page.click("#tab-slab");
await drawn(page);
await page.screenshot({ path: process.env.PICTURE });
await browser.close();
await house.close();
