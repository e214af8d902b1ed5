// SPDX-License-Identifier: BSD-3-Clause
// A real mxclash serve on a log of so many conflicts, and a real Chromium that looks at it.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import axe from "axe-core";
import { chromium } from "playwright-core";

// this file runs as a copy in build/tests/page, where npm put the packages
export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const COMMAND = process.env.MXCLASH_COMMAND ?? path.join(ROOT, "build/mxclash");
const PYTHON = process.env.PYTHON ?? "/usr/bin/python3";
const SCREENSHOTS = process.env.SCREENSHOTS;
const START_MS = 120000;

export const makeFolder = () => fs.mkdtempSync(path.join(os.tmpdir(), "mxclash-page-"));

export function writeLog(count, file) {
    execFileSync(PYTHON, ["-B", path.join(ROOT, "tests/system/serving.py"), String(count), file]);
}

async function freePort() {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    server.close();
    await once(server, "close");
    return port;
}

/** Start one; stop() ends it and takes its folder away. */
export async function serve(count) {
    const folder = makeFolder(), port = await freePort(), log = path.join(folder, "events.json");
    const conf = path.join(folder, "mxclash.conf"), url = `http://127.0.0.1:${port}/`;
    // it began before all that it told of: what a resolver does not tell of again has ended
    fs.writeFileSync(log, JSON.stringify({ time: new Date(Date.now() - 30 * 86400000).toISOString(), event: "started", host: "resolver1", version: "0.1.0" }) + "\n");
    writeLog(count, log);
    fs.writeFileSync(conf, `log-file: "${log}"\ndatabase: "${folder}/book.db"\npage-listen: 127.0.0.1@${port}\n`);
    const child = spawn(COMMAND, ["serve"], { env: { ...process.env, MXCLASH_CONF: conf }, stdio: ["ignore", "inherit", "inherit"] });
    const stop = async () => {
        if (child.exitCode === null) {
            child.kill();
            await once(child, "exit");
        }
        fs.rmSync(folder, { recursive: true });
    };
    const total = async () => {
        try {
            return (await (await fetch(`${url}api/v1/conflicts?limit=1`)).json()).total;
        } catch {
            return undefined;
        }
    };
    for (const end = Date.now() + START_MS; (await total()) !== count; await wait(100))
        if (child.exitCode !== null || Date.now() > end) {
            const got = await total();
            await stop();
            throw new Error(`mxclash serve has got ${got} of ${count} conflicts`);
        }
    return { url, log, stop, append: (event) => fs.appendFileSync(log, JSON.stringify(event) + "\n") };
}

let browser;

export async function startBrowser() {
    browser = await chromium.launch({ executablePath: process.env.BROWSER ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

export const stopBrowser = () => browser.close();

/**
 * Open a page and do something with it. Afterwards nothing may have been said on the console, no
 * exception be left, no request gone elsewhere.
 */
export async function look(url, options, work) {
    const context = await browser.newContext({ locale: "en-US", timezoneId: "UTC", viewport: { width: 1280, height: 900 }, ...options });
    const said = [], outside = [];
    try {
        const page = await context.newPage();
        page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
        page.on("pageerror", (error) => said.push(`exception: ${error.message}`));
        page.on("dialog", (dialog) => {
            said.push(`dialog: ${dialog.message()}`);
            dialog.dismiss();
        });
        page.on("request", (request) => {
            if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith("data:"))
                outside.push(request.url());
        });
        await page.goto(url);
        await page.waitForSelector("body[data-ready]");
        await work(page);
    } finally {
        await context.close();
    }
    if (said.length + outside.length > 0)
        throw new Error([...said, ...outside].join("\n"));
}

/** What axe finds against WCAG 2.2 AA and its own best practices, as lines. */
export async function violations(page) {
    // its source goes in through the debugger, which the page's policy does not hold back
    await page.evaluate(axe.source);
    const { violations: found } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    return found.flatMap((one) => one.nodes.map((node) => `${one.id}: ${one.help}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}

export async function picture(page, name, fullPage = false) {
    if (SCREENSHOTS)
        await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage });
}
