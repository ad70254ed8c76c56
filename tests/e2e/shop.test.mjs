/*
 * A sale by the official client, from the search to the return; and the payment page in a browser, as phones and keyboards see it.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

import { launch, open, setting, souk_url } from "./support.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const buyer = { email: "walker@example.org", name: "W. Walker" };
const address = { line1: "1 rue des Essais", postalCode: "75001", city: "Paris", country: "FR" };
const clients = [];

async function connect(path, token) {
	const client = new Client({ name: "souk-e2e", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
	const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : undefined;
	await client.connect(new StreamableHTTPClientTransport(new URL(souk_url() + path), { requestInit }));
	clients.push(client);
	return client;
}

/* The result of a tool; one that asks first is told yes, with the token of its preview. */
async function call(client, name, args) {
	let result = await client.callTool({ name, arguments: args });
	const preview = result.isError && /"confirm": "(v1\.[\w-]+)"/.exec(result.content[0].text);
	if (preview)
		result = await client.callTool({ name, arguments: { ...args, confirm: preview[1] } });
	assert.ok(!result.isError, `${name}: ${result.content[0].text}`);
	return result.structuredContent;
}

async function order(visitor, how = {}) {
	const found = await call(visitor, "search_products", { query: "coussin", inStock: true, limit: 10 });
	for (const { id } of found.products.filter((p) => p.stock > 3)) {
		const { variants } = await call(visitor, "get_product_info", { productId: id });
		const variant = variants?.find((v) => v.stock > 3);
		if (variants && !variant)
			continue;
		const { basket } = await call(visitor, "add_to_basket", { productId: id, quantity: 2, ...(variant && { variantSku: variant.sku }) });
		return call(visitor, "get_payment_link", { basket, method: "bank_transfer", ...how });
	}
	throw new Error("nothing can be bought");
}

async function accessible(page) {
	await page.evaluate(axe);
	const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }));
	assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
}

after(() => Promise.all(clients.map((client) => client.close())));

test("a sale by an assistant", async () => {
	const visitor = await connect("/mcp/storefront");
	const staff = await connect("/mcp", setting("SOUK_ADMIN_TOKEN"));
	const link = await order(visitor, { ...buyer, shippingAddress: address });

	const { basket } = await call(visitor, "add_to_basket", { productId: "1" });
	const shown = await call(visitor, "get_basket", { basket });
	assert.equal(shown.itemCount, 1);

	const chosen = await fetch(link.paymentUrl, { method: "POST", redirect: "manual",
		body: new URLSearchParams({ ...buyer, line1: address.line1, postcode: address.postalCode, city: address.city, country: "FR", method: "bank_transfer" }) });
	assert.equal(chosen.status, 303);
	const paid = await call(staff, "mark_paid", { orderNumber: link.orderNumber, amount: link.amount });
	assert.deepEqual([paid.status, paid.paymentStatus], ["PAID", "paid"]);

	await call(staff, "ship_order", { orderId: link.orderNumber, carrier: "Colissimo", trackingNumber: `E${link.orderNumber}` });
	await call(staff, "add_tracking_event", { orderId: link.orderNumber, status: "OUT_FOR_DELIVERY", place: "Paris" });
	const tracked = await call(staff, "track_shipment", { orderId: link.orderNumber });
	assert.equal(tracked.shipments[0].status, "OUT_FOR_DELIVERY");
	await call(staff, "mark_delivered", { orderId: link.orderNumber });

	const back = await call(staff, "open_return", { orderId: link.orderNumber, reason: "changed_mind" });
	if (back.status.toUpperCase() === "REQUESTED")
		await call(staff, "decide_return", { returnId: back.returnNumber, action: "approve" });
	const received = await call(staff, "decide_return", { returnId: back.returnNumber, action: "receive" });
	assert.equal(received.status.toUpperCase(), "RECEIVED");
});

describe("payment page", () => {
	let browser, visitor;

	before(async () => {
		browser = await launch();
		visitor = await connect("/mcp/storefront");
	});
	after(() => browser.close());

	for (const [locale, width, words] of [["en-GB", 320, ["Delivery address", "Please transfer the amount"]], ["fr-FR", 390, ["Adresse de livraison", "Merci de virer le montant"]],
		["en-GB", 1280, ["Delivery address", "Please transfer the amount"]]])
		test(`${locale}, ${width} pixels: fill in by keyboard, choose a bank transfer`, async () => {
			const { paymentUrl, orderNumber } = await order(visitor);
			const page = await open(browser, new URL(paymentUrl).pathname, { width, locale, reducedMotion: "reduce" });

			await page.getByRole("heading", { name: words[0] }).waitFor();
			assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true, "nothing is cut off at the side");
			await accessible(page);
			await page.locator("#name").focus();
			for (const text of [buyer.name, buyer.email, address.line1, address.postalCode, address.city]) {
				await page.keyboard.type(text);
				await page.keyboard.press("Tab");
			}
			await page.locator("input[value=bank_transfer]").focus();
			await page.keyboard.press("Enter");
			await page.getByText(words[1]).waitFor();
			assert.match(await page.locator("main").textContent(), new RegExp(`${orderNumber}[^]*FR7630001007941234567890185`));
			await accessible(page);
			assert.deepEqual(page.wrong, []);
			await page.context().close();
		});
});
