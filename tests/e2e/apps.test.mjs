/*
 * The views of MCP Apps in a host made of the official AppBridge: a page in Chromium that holds each view in a sandboxed frame, under the content security policy
 * that its metadata asks for, and with the results of real tools. SCREENSHOTS names a folder for pictures of them.
 */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { build } from "esbuild";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { getToolUiResourceUri } from "@modelcontextprotocol/ext-apps/app-bridge";

import { comes_to, launch, PATIENCE_MS, setting, souk_url } from "./support.mjs";

const MEDIA = "text/html;profile=mcp-app";
const declares = { extensions: { "io.modelcontextprotocol/ui": { mimeTypes: [MEDIA] } } };
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const HOST = `
	import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";
	window.seen = { messages: [], links: [], sizes: [], contexts: [], violations: [] };
	window.hold = async ({ html, context, result, input }) => {
		document.body.replaceChildren();
		const frame = document.createElement("iframe");
		frame.sandbox = "allow-scripts";
		frame.style = "width:100%;height:100vh;border:0";
		document.body.append(frame);
		const bridge = new AppBridge(null, { name: "souk-e2e", version: "1.0.0" }, { openLinks: {}, serverTools: {}, updateModelContext: { text: {} }, message: { text: {} } }, { hostContext: context });
		const ready = new Promise((resolve) => { bridge.oninitialized = resolve; });
		bridge.oncalltool = (params) => window.call_tool(params);
		bridge.onmessage = async (params) => { window.seen.messages.push(params); return {}; };
		bridge.onopenlink = async ({ url }) => { window.seen.links.push(url); return {}; };
		bridge.onupdatemodelcontext = async (params) => { window.seen.contexts.push(params); return {}; };
		bridge.onsizechange = (size) => { window.seen.sizes.push(size); };
		await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
		frame.srcdoc = html;
		await ready;
		await bridge.sendToolInput({ arguments: input ?? {} });
		if (result)
			await bridge.sendToolResult(result);
		window.bridge = bridge;
	};
`;

/* The policy that a host makes of a view's metadata, as the extension's text has it. */
function policy(ui = {}) {
	const from = (list) => ["'self'", "data:", ...(list ?? [])].join(" ");
	return `default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src ${from(ui.csp?.resourceDomains)}; font-src ${from(ui.csp?.resourceDomains)}; ` +
		`connect-src ${ui.csp?.connectDomains?.join(" ") || "'none'"}; frame-src 'none'; object-src 'none'; base-uri 'none'`;
}

function with_policy(html, ui) {
	return html.replace("<head>", `<head><meta http-equiv="Content-Security-Policy" content="${policy(ui)}">`);
}

let browser, script;
const clients = [];

async function connect(options, capabilities = declares, token = setting("SOUK_ADMIN_TOKEN")) {
	const client = new Client({ name: "souk-e2e", version: "1.0.0" }, { capabilities, ...options });
	await client.connect(new StreamableHTTPClientTransport(new URL(`${souk_url()}/mcp`), { requestInit: token ? { headers: { Authorization: `Bearer ${token}` } } : undefined }));
	clients.push(client);
	return client;
}

before(async () => {
	browser = await launch();
	const bundle = await build({ stdin: { contents: HOST, resolveDir: import.meta.dirname }, bundle: true, write: false, format: "iife", platform: "browser", logLevel: "error" });
	script = bundle.outputFiles[0].text;
});
after(async () => {
	await browser?.close();
	await Promise.all(clients.map((client) => client.close()));
});

/* A view with a tool's result in a host -> {page, view, seen}. */
async function hold(client, { tool, args = {}, result, context = {}, width = 720, height = 640 }) {
	const listed = (await client.listTools()).tools.find(({ name }) => name === tool);
	const uri = getToolUiResourceUri(listed);
	assert.ok(uri, `${tool} has no view`);
	const { contents: [content] } = await client.readResource({ uri });
	assert.equal(content.mimeType, MEDIA);
	result ??= await client.callTool({ name: tool, arguments: args });
	assert.ok(!result.isError, JSON.stringify(result.content));
	assert.equal(result.content[0].type, "text");	/* for hosts without views */
	const page = await (await browser.newContext({ viewport: { width, height }, locale: "en-GB", reducedMotion: "reduce" })).newPage();
	page.setDefaultTimeout(PATIENCE_MS);
	const wrong = [];
	page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
	page.on("pageerror", (error) => wrong.push(String(error)));
	page.on("request", (request) => {
		if (!/^(data:|about:|blob:)/.test(request.url()) && !request.url().startsWith(`${souk_url()}/`))
			wrong.push(`elsewhere: ${request.url()}`);
	});
	await page.exposeFunction("call_tool", (params) => client.callTool(params));
	await page.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));
	await page.goto(`${souk_url()}/healthz`);
	await page.setContent("<!doctype html><html lang=en><title>host</title><body style='margin:0'></body></html>");
	await page.addScriptTag({ content: script });
	await page.evaluate((what) => window.hold(what), { html: with_policy(content.text, content._meta?.ui), context: { theme: "light", locale: "en-GB", ...context }, result, input: args });
	const view = page.frames().find((frame) => frame.parentFrame());
	await view.waitForFunction(() => document.querySelector("main").children.length > 0);
	return { page, view, wrong, seen: () => page.evaluate(() => window.seen) };
}

async function picture(page, name) {
	if (!process.env.SCREENSHOTS)
		return;
	await page.bringToFront();
	await page.waitForTimeout(300);	/* until it is painted */
	mkdirSync(process.env.SCREENSHOTS, { recursive: true });
	await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}

async function accessible(view) {
	await view.evaluate(axe);
	const { violations } = await view.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }));
	assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), []);
}

for (const [era, options] of [["handshake", {}], ["modern", { versionNegotiation: { mode: "auto" } }]])
	describe(`apps, ${era}`, () => {
		test("are offered to those who can show them, and to nobody else", async () => {
			const shows = await connect(options);
			const plain = await connect(options, {});
			const views = (list) => list.filter(({ uri }) => uri.startsWith("ui://")).map(({ uri }) => uri);
			assert.deepEqual(views((await shows.listResources()).resources), ["ui://souk/product-cards", "ui://souk/basket", "ui://souk/order"]);
			assert.deepEqual(views((await plain.listResources()).resources), []);
			const with_view = (await shows.listTools()).tools.filter((tool) => tool._meta?.ui);
			assert.ok(with_view.some(({ name }) => name === "search_products"));
			for (const tool of with_view) {
				assert.equal(tool._meta["ui/resourceUri"], tool._meta.ui.resourceUri);
				assert.equal((await shows.readResource({ uri: tool._meta.ui.resourceUri })).contents[0].mimeType, MEDIA, tool.name);
			}
			assert.ok((await plain.listTools()).tools.every((tool) => tool._meta?.ui === undefined));
			assert.ok(shows.getServerCapabilities().extensions?.["io.modelcontextprotocol/ui"]);
			const named = (await plain.callTool({ name: "search_products", arguments: { query: "lampe", limit: 2 } })).content[0].text;
			assert.deepEqual((await shows.callTool({ name: "search_products", arguments: { query: "lampe", limit: 2 } })).content[0].text, named);
		});
	});

describe("apps, in a host", () => {
	let client;
	before(async () => { client = await connect({}); });

	test("product cards show what was found, with pictures of the shop", async () => {
		const { page, view, wrong, seen } = await hold(client, { tool: "search_products", args: { query: "lampe", limit: 6 } });
		await comes_to(() => view.locator(".card").count(), 6);
		await comes_to(() => view.locator(".card img").count(), 6);
		await view.waitForFunction(() => document.images[0].complete && document.images[0].naturalWidth > 0);
		assert.match(await view.locator(".price").first().innerText(), /€/);
		await accessible(view);
		await picture(page, "product-cards-light");
		const name = await view.locator(".card h2").first().innerText();
		await view.locator("button:has-text('Details')").first().click();
		await view.locator("#back").waitFor();
		await comes_to(() => view.locator("h1").innerText(), name);
		await accessible(view);
		await picture(page, "product-details");
		await view.locator("button:has-text('Ask about it')").click();
		await view.locator("#back").click();
		await comes_to(() => view.locator(".card").count(), 6);
		await view.locator("button:has-text('Add to basket')").first().click();
		await page.waitForFunction(() => window.seen.messages.length === 2);
		await page.waitForFunction(() => window.seen.sizes.length > 0);
		const { messages, sizes } = await seen();
		assert.ok(messages.every(({ role, content }) => role === "user" && content[0].text.includes(name)));
		assert.ok(sizes.every(({ height }) => height > 0));
		assert.deepEqual(wrong, []);
	});

	test("product cards speak French, in the dark, on a small screen", async () => {
		const { page, view, wrong } = await hold(client, { tool: "search_products", args: { query: "lampe", limit: 3 }, context: { theme: "dark", locale: "fr-FR" }, width: 340 });
		await view.locator("button:has-text('Ajouter au panier')").first().waitFor();
		assert.equal(await view.evaluate(() => document.documentElement.lang), "fr");
		assert.match(await view.locator(".price").first().innerText(), /\d,\d{2}\s€/);
		assert.ok(await view.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
		await accessible(view);
		await picture(page, "product-cards-dark-fr");
		await page.evaluate(() => window.bridge.setHostContext({ theme: "light", locale: "en-GB" }));
		await view.locator("button:has-text('Add to basket')").first().waitFor();
		assert.deepEqual(wrong, []);
	});

	test("a view takes a product's text as text, and what is broken as broken", async () => {
		const products = [{ id: "1", name: "<img src=x onerror=alert(1)> & \"quotes\"", price: 1, currency: "XXXX", inStock: true, stock: 1, image: "https://evil.example.com/p.png" }];
		const { view, wrong } = await hold(client, { tool: "search_products", result: { content: [{ type: "text", text: "1 product" }], structuredContent: { products } } });
		assert.equal(await view.locator(".card h2").innerText(), products[0].name);
		assert.equal(await view.locator("img").count(), 0);
		assert.deepEqual(wrong, []);
		const failed = await hold(client, { tool: "search_products", result: { content: [{ type: "text", text: "limit: must be at most 50" }], structuredContent: undefined } });
		assert.match(await failed.view.locator("main").innerText(), /limit: must be at most 50/);
	});

	test("an order shows how far it is and what is in it", async () => {
		const { values } = (await client.complete({ ref: { type: "ref/resource", uri: "souk://orders/{number}" }, argument: { name: "number", value: "" } })).completion;
		const shipped = [];
		for (const number of values.slice(0, 40)) {
			const order = JSON.parse((await client.readResource({ uri: `souk://orders/${number}` })).contents[0].text);
			if (order.status === "SHIPPED" && order.shipments.length > 0)
				shipped.push(number);
		}
		assert.ok(shipped.length > 0, "the demo shop has no shipped order");
		const { page, view, wrong } = await hold(client, { tool: "get_order_status", args: { orderNumber: shipped[0] } });
		assert.match(await view.locator("h1").first().innerText(), new RegExp(shipped[0]));
		assert.equal(await view.locator("ol.steps li[aria-current=step]").innerText(), "Shipped");
		await view.locator("#items").click();
		await view.locator("table").waitFor();
		await accessible(view);
		await picture(page, "order-light");
		const dark = await hold(client, { tool: "get_order_status", args: { orderNumber: shipped[0] }, context: { theme: "dark", locale: "fr" }, width: 380 });
		await dark.view.locator("#items").click();
		await dark.view.locator("table").waitFor();
		await accessible(dark.view);
		await picture(dark.page, "order-dark-fr");
		assert.deepEqual([...wrong, ...dark.wrong], []);
	});

	test("a basket can be changed in place, and paid by a word to the assistant", async () => {
		const visitor = await connect({}, declares, null);
		const { structuredContent: { products: [product] } } = await visitor.callTool({ name: "search_products", arguments: { query: "lampe", inStock: true, limit: 1 } });
		const { page, view, wrong, seen } = await hold(visitor, { tool: "add_to_basket", args: { productId: product.id, quantity: 1 } });
		assert.match(await view.locator("tbody td").first().innerText(), new RegExp(product.name.slice(0, 20)));
		await view.locator("button[aria-label^='One more']").click();
		await view.waitForFunction(() => / 2 /.test(document.querySelector("tbody td:nth-child(2)").textContent));
		await accessible(view);
		await picture(page, "basket-light");
		await view.locator("#pay").click();
		await page.waitForFunction(() => window.seen.messages.length === 1 && window.seen.contexts.length === 1);
		assert.equal((await seen()).contexts[0].structuredContent.items[0].quantity, 2);
		await view.locator("button[aria-label^='Remove']").click();
		await view.waitForFunction(() => /empty/.test(document.querySelector("main").textContent));
		const dark = await hold(visitor, { tool: "add_to_basket", args: { productId: product.id, quantity: 3 }, context: { theme: "dark", locale: "fr-FR" }, width: 360 });
		await dark.view.locator("#pay:has-text('Payer')").waitFor();
		await accessible(dark.view);
		await picture(dark.page, "basket-dark-fr");
		assert.deepEqual([...wrong, ...dark.wrong], []);
	});
});
