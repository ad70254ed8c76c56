/*
 * What the browser tests share: where the service is, a browser, pages that remember what went wrong on them.
 *
 * SOUK_URL names the service; without it var/demo.env of a started checkout does. CHROMIUM names another browser.
 * The pages of a run ask more than one visitor may in a minute: start the service with RATE_DATA=off.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

function demo_env() {
	try {
		const lines = readFileSync(join(root, "var", "demo.env"), "utf8").split("\n");
		return Object.fromEntries(lines.map((line) => /^(?:export )?([A-Z_]+)=["']?(.*?)["']?$/.exec(line)).filter(Boolean).map(([, name, value]) => [name, value]));
	} catch {
		return {};
	}
}

const known = { ...demo_env(), ...process.env };

/* What does not happen within a minute will not, on any machine: how quick a thing is on one is not for these tests. */
export const PATIENCE_MS = 60000;

/* What condition() gives as soon as it gives something; what it throws last, or a plain "not in time", is the failure. */
export async function until(condition, every_ms = 50) {
	const end = Date.now() + PATIENCE_MS;
	for (;;) {
		let failure;
		try {
			const value = await condition();
			if (value)
				return value;
		} catch (error) {
			failure = error;
		}
		if (Date.now() > end)
			throw failure ?? new Error(`not within ${PATIENCE_MS / 1000} s: ${condition}`);
		await new Promise((done) => setTimeout(done, every_ms));
	}
}

/* assert.deepEqual for what a page comes to show: look() is asked until it is so. */
export const comes_to = (look, wanted) => until(async () => {
	assert.deepEqual(await look(), wanted);
	return true;
});

/* A setting that the tests cannot do without. */
export function setting(name) {
	if (!known[name])
		throw new Error(`${name} is not set: start the service (make start), or name it in the environment`);
	return known[name];
}

export const souk_url = () => setting("SOUK_URL").replace(/\/$/, "");

export function launch() {
	return chromium.launch({
		executablePath: known.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync) ?? "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
			"--disable-component-update", "--disable-sync"],
	});
}

/*
 * A page in a context of its own. page.wrong collects console errors and warnings, uncaught errors, violations of the content security
 * policy, failed requests and requests to other hosts.
 */
export async function open(browser, path = "/", { width = 1280, height = 900, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width, height }, locale: "en-GB", ...options });
	context.setDefaultTimeout(PATIENCE_MS);
	const page = await context.newPage();
	page.wrong = [];
	page.on("console", (message) => {
		if (["error", "warning"].includes(message.type()))
			page.wrong.push(`console: ${message.text()}`);
	});
	page.on("pageerror", (error) => page.wrong.push(`uncaught: ${error.stack}`));
	page.on("requestfailed", (request) => {
		/* Searches that a later one ended are no failures. */
		if (request.failure()?.errorText !== "net::ERR_ABORTED")
			page.wrong.push(`failed: ${request.url()} ${request.failure()?.errorText}`);
	});
	page.on("request", (request) => {
		if (!request.url().startsWith(`${souk_url()}/`) && !request.url().startsWith("data:"))
			page.wrong.push(`elsewhere: ${request.url()}`);
	});
	await page.addInitScript(() => {
		document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
	});
	await page.goto(souk_url() + path);
	return page;
}

/* The page with everything on it that the service tells. */
export async function open_filled(browser, path, options) {
	const page = await open(browser, path, options);
	await page.locator("#products .card").first().waitFor();
	await page.locator("#tools-list .fold").first().waitFor();
	await page.locator("#routes-list .fold").first().waitFor();
	await page.locator("#checks .tile").first().waitFor();
	await page.locator("#talk .mini, #talk[hidden]").first().waitFor({ state: "attached" });
	return page;
}

/* One JSON-RPC request to /mcp, past the page -> result. */
export async function mcp(method, params = {}, token) {
	const response = await fetch(`${souk_url()}/mcp`, {
		method: "POST",
		headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
	});
	const body = await response.json();
	if (body.error)
		throw new Error(`${method}: ${body.error.message}`);
	return body.result;
}
