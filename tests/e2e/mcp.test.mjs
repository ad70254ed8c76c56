/*
 * The official MCP clients against the running service: the legacy SDK, and the new client in both eras. What they check themselves (schemas of
 * messages, of tools, of results against outputSchema) is part of the test.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, describe, test } from "node:test";

import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

import { setting, souk_url, until } from "./support.mjs";

const info = { name: "souk-e2e", version: "1.0.0" };
const SERVERS = ["catalog", "orders", "support", "analytics", "storefront", "admin", "intent", "notifications"];

/* The three ways in which real clients open a connection. */
const kinds = {
	"sdk 1.x": { client: () => new LegacyClient(info), transport: LegacyTransport, revision: "2025-11-25" },
	"client 2.x, handshake": { client: () => new Client(info), transport: StreamableHTTPClientTransport, revision: "2025-11-25" },
	"client 2.x, auto": {
		client: () => new Client(info, { versionNegotiation: { mode: "auto" } }),
		transport: StreamableHTTPClientTransport,
		revision: "2026-07-28",
	},
};

const open = [];

async function connect(kind, path = "/mcp", token = setting("SOUK_ADMIN_TOKEN")) {
	const { client: make, transport: Transport } = kinds[kind];
	const client = make();
	const requestInit = token ? { headers: { Authorization: `Bearer ${token}` } } : undefined;
	await client.connect(new Transport(new URL(souk_url() + path), { requestInit }));
	open.push(client);
	return client;
}

after(() => Promise.all(open.map((client) => client.close())));

const raw = (message, headers = {}, path = "/mcp") =>
	fetch(souk_url() + path, {
		method: "POST",
		headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", ...headers },
		body: typeof message === "string" ? message : JSON.stringify(message),
	});

const rpc = (method, params) => ({ jsonrpc: "2.0", id: 7, method, ...(params && { params }) });

for (const kind of Object.keys(kinds))
	describe(kind, () => {
		test("connects and learns who serves", async () => {
			const client = await connect(kind);
			assert.equal(client.getServerVersion().name, "souk");
			/* changes are told to modern clients, and to legacy ones that have a session */
			const listens = kinds[kind].revision === "2026-07-28" ? { listChanged: true } : {};
			assert.deepEqual(client.getServerCapabilities(), {
				tools: listens, prompts: listens, completions: {}, logging: {},
				resources: kinds[kind].revision === "2026-07-28" ? { subscribe: true, listChanged: true } : {},
			});
			assert.match(client.getInstructions(), /search_products/);
			assert.equal(client.getNegotiatedProtocolVersion?.() ?? client.transport.protocolVersion, kinds[kind].revision);
		});

		test("lists tools that any client accepts", async () => {
			const { tools, nextCursor } = await (await connect(kind)).listTools();
			assert.equal(nextCursor, undefined);
			assert.ok(tools.length >= 6);
			assert.deepEqual(tools[0].inputSchema.required ?? [], []);
			for (const tool of tools) {
				assert.match(tool.name, /^[a-z0-9_]{1,40}$/);
				assert.ok(tool.title && tool.description, tool.name);
				assert.equal(tool.inputSchema.type, "object");
				assert.equal(tool.outputSchema.type, "object");
				for (const hint of ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"])
					assert.equal(typeof tool.annotations[hint], "boolean", `${tool.name} ${hint}`);
			}
			assert.equal(new Set(tools.map((tool) => tool.name)).size, tools.length);
		});

		test("searches, then looks at what was found", async () => {
			const client = await connect(kind);
			await client.listTools();	/* the clients check results against the output schemas they saw */
			const found = await client.callTool({ name: "search_products", arguments: { query: "lampe", limit: 3 } });
			assert.ok(!found.isError);
			assert.deepEqual(JSON.parse(found.content[0].text), found.structuredContent);
			const { products, total } = found.structuredContent;
			assert.ok(products.length === 3 && total >= 3);
			const details = await client.callTool({ name: "get_product_details", arguments: { productId: products[0].id } });
			assert.equal(details.structuredContent.slug, products[0].slug);
			const bySlug = await client.callTool({ name: "vivr_get_product", arguments: { slug: products[0].slug } });
			assert.equal(bySlug.structuredContent.id, products[0].id);
		});

		test("pages through results without repeating one", async () => {
			const client = await connect(kind);
			const ids = [];
			let cursor;
			for (let page = 0; page < 3; page++) {
				const { structuredContent: s } = await client.callTool({ name: "search_products", arguments: { query: "lampe", limit: 2, ...(cursor && { cursor }) } });
				ids.push(...s.products.map((p) => p.id));
				cursor = s.nextCursor;
				assert.ok(cursor);
			}
			assert.equal(new Set(ids).size, 6);
			const other = await client.callTool({ name: "search_products", arguments: { query: "table", cursor } });
			assert.ok(other.isError);
			assert.match(other.content[0].text, /^cursor: /);
		});

		test("gets a wrong argument back as something to mend", async () => {
			const client = await connect(kind);
			for (const [args, text] of [
				[{ limit: 51 }, "limit: must be at most 50"],
				[{ limit: "3" }, "limit: must be an integer"],
				[{ nonsense: 1 }, "unknown argument: nonsense"],
				[{ sortBy: "best" }, "sortBy: must be one of price-asc, price-desc, newest, popular"],
			]) {
				const result = await client.callTool({ name: "search_products", arguments: args });
				assert.equal(result.isError, true);
				assert.equal(result.content[0].text, text);
			}
			const missing = await client.callTool({ name: "get_product_details", arguments: { productId: "999999999" } });
			assert.equal(missing.isError, true);
		});

		test("is told that a tool does not exist", async () => {
			const client = await connect(kind);
			await assert.rejects(client.callTool({ name: "no_such_tool", arguments: {} }), (e) => e.code === -32602 && /no_such_tool/.test(e.message));
		});

		test("works without a token where none is needed", async () => {
			const client = await connect(kind, "/mcp/storefront", null);
			const { tools } = await client.listTools();
			const names = tools.map((tool) => tool.name);
			assert.ok(names.includes("get_product_info") && !names.includes("get_product_details"));
			const found = await client.callTool({ name: "search_products", arguments: { limit: 1 } });
			assert.equal(found.structuredContent.products.length, 1);
		});

		test("reads resources", async () => {
			const client = await connect(kind);
			const { resources } = await client.listResources();
			assert.deepEqual(resources.map((r) => r.uri), ["souk://products/catalog", "souk://products/categories", "souk://products/featured",
				...["return", "shipping", "payment", "terms", "privacy"].map((name) => `souk://policies/${name}`), "souk://faq"]);
			for (const { uri } of resources) {
				const { contents } = await client.readResource({ uri });
				assert.equal(contents[0].uri, uri);
				assert.ok(contents[0].text.length < 100000 && JSON.parse(contents[0].text));
			}
			const vivr = await client.readResource({ uri: "vivr://products/featured" });
			assert.equal(vivr.contents[0].uri, "vivr://products/featured");
			const { products, nextCursor } = JSON.parse((await client.readResource({ uri: "souk://products/catalog" })).contents[0].text);
			assert.equal(products.length, 200);
			const second = JSON.parse((await client.readResource({ uri: `souk://products/catalog?cursor=${nextCursor}` })).contents[0].text);
			assert.equal(new Set([...products, ...second.products].map((p) => p.id)).size, products.length + second.products.length);
			const one = await client.readResource({ uri: `souk://products/${products[0].slug}` });
			assert.equal(JSON.parse(one.contents[0].text).id, products[0].id);
			await assert.rejects(client.readResource({ uri: "souk://products/no-such-product" }),
				(e) => [-32602, -32002].includes(e.code) && e.data.uri === "souk://products/no-such-product");
		});

		test("fills in templates", async () => {
			const client = await connect(kind);
			const { resourceTemplates } = await client.listResourceTemplates();
			assert.deepEqual(resourceTemplates.map((t) => t.uriTemplate),
				["souk://products/{slug}", "souk://categories/{categorySlug}", "souk://orders/{number}", "souk://policies/{name}", "souk://faq/{category}"]);
			const complete = async (uri, name, value) =>
				(await client.complete({ ref: { type: "ref/resource", uri }, argument: { name, value } })).completion;
			const slugs = await complete("souk://products/{slug}", "slug", "lampe");
			assert.ok(slugs.values.length > 0 && slugs.values.length <= 100 && slugs.values.every((slug) => slug.startsWith("lampe")));
			assert.equal(slugs.hasMore, slugs.total > slugs.values.length);
			const categories = await complete("souk://categories/{categorySlug}", "categorySlug", "");
			const category = await client.readResource({ uri: `souk://categories/${categories.values[0]}` });
			assert.ok(JSON.parse(category.contents[0].text).products);
			const orders = await complete("souk://orders/{number}", "number", "ord-");
			const order = JSON.parse((await client.readResource({ uri: `souk://orders/${orders.values[0]}` })).contents[0].text);
			assert.equal(order.number, orders.values[0]);
			assert.ok(order.items.length > 0);
		});

		test("keeps orders from those who may not see them", async () => {
			const client = await connect(kind, "/mcp", null);
			const { resourceTemplates } = await client.listResourceTemplates();
			assert.ok(!resourceTemplates.some((t) => t.uriTemplate.startsWith("souk://orders/")));
			const { completion } = await client.complete({ ref: { type: "ref/resource", uri: "souk://orders/{number}" }, argument: { name: "number", value: "" } });
			assert.deepEqual(completion.values, []);
			await assert.rejects(client.readResource({ uri: "souk://orders/ORD-00000000" }));
		});

		test("gets prompts in four languages", async () => {
			const client = await connect(kind);
			const { prompts } = await client.listPrompts();
			assert.deepEqual(prompts.map((p) => p.name), ["greeting", "order_status_response", "product_recommendation_response"]);
			const texts = new Set();
			for (const language of ["en", "fr", "es", "de"]) {
				const { messages } = await client.getPrompt({ name: "greeting", arguments: { language, customerName: "Zoé {x}", timeOfDay: "morning" } });
				assert.match(messages[0].content.text, /Zoé \{x\}/);
				texts.add(messages[0].content.text);
				const status = await client.getPrompt({ name: "order_status_response", arguments: { orderStatus: "SHIPPED", language } });
				assert.doesNotMatch(status.messages[0].content.text, /\{/);
			}
			assert.equal(texts.size, 4);
			const { completion } = await client.complete({ ref: { type: "ref/prompt", name: "greeting" }, argument: { name: "timeOfDay", value: "mo" } });
			assert.deepEqual(completion, { values: ["morning"], total: 1, hasMore: false });
			await assert.rejects(client.getPrompt({ name: "greeting", arguments: {} }), (e) => e.code === -32602);
		});

		test("is refused with a bad token", async () => {
			await assert.rejects(connect(kind, "/mcp", "mcp_key_AAAAAAAAAAAA_wrong"));
		});
	});

/* What a client is told without asking: changes of what it subscribed to, made by another program. */
describe("changes", () => {
	const touch = (slug) => execFileSync("psql", ["-X", "-q", "-d", setting("DATABASE_URL"), "-c",
		`UPDATE shop.products SET updated_at = now() WHERE slug = '${slug}'`]);

	test("a modern client hears what it listens to", async () => {
		const client = await connect("client 2.x, auto");
		const told = [];
		client.setNotificationHandler("notifications/resources/updated", ({ params }) => told.push(params.uri));
		const { values: [slug] } = (await client.complete({ ref: { type: "ref/resource", uri: "souk://products/{slug}" }, argument: { name: "slug", value: "" } })).completion;
		const uri = `souk://products/${slug}`;
		const subscription = await client.listen({ resourceSubscriptions: [uri, "souk://nothing"] });
		assert.deepEqual(subscription.honoredFilter, { resourceSubscriptions: [uri] });
		await until(() => { touch(slug); return told.length > 0; });
		assert.equal(told[0], uri);
		await subscription.close();
	});

	test("a legacy client with a session hears of its subscription", async () => {
		const client = new LegacyClient(info, { capabilities: { roots: {} } });
		const told = [];
		client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => told.push(params.uri));
		const requestInit = { headers: { Authorization: `Bearer ${setting("SOUK_ADMIN_TOKEN")}` } };
		const transport = new LegacyTransport(new URL(`${souk_url()}/mcp`), { requestInit });
		await client.connect(transport);
		open.push(client);
		assert.match(transport.sessionId, /^[0-9A-Za-z]{32}$/);
		assert.deepEqual(client.getServerCapabilities().resources, { subscribe: true, listChanged: true });
		const { values: [slug] } = (await client.complete({ ref: { type: "ref/resource", uri: "souk://products/{slug}" }, argument: { name: "slug", value: "" } })).completion;
		await client.subscribeResource({ uri: `souk://products/${slug}` });
		await until(() => { touch(slug); return told.length > 0; });
		assert.equal(told[0], `souk://products/${slug}`);
		await client.unsubscribeResource({ uri: `souk://products/${slug}` });
		const ended = transport.sessionId;
		await transport.terminateSession();
		assert.equal((await raw(rpc("ping"), { ...requestInit.headers, "Mcp-Session-Id": ended })).status, 404);
	});
});

describe("endpoints", () => {
	test("every server answers, with and without a slash at the end", async () => {
		for (const path of ["/mcp", "/mcp/", ...SERVERS.map((s) => `/mcp/${s}`)]) {
			const answer = await (await raw(rpc("initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: info }), {}, path)).json();
			assert.equal(answer.result.protocolVersion, "2025-06-18", path);
		}
		assert.equal((await raw(rpc("ping"), {}, "/mcp/nowhere")).status, 404);
	});

	test("sessions are not offered to clients that need none", async () => {
		for (const method of ["GET", "DELETE"]) {
			const answer = await fetch(`${souk_url()}/mcp`, { method, headers: { Accept: "text/event-stream" } });
			assert.equal(answer.status, 405);
			assert.match(answer.headers.get("allow"), /POST/);
		}
		const opened = await raw(rpc("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: info }));
		assert.equal(opened.headers.get("mcp-session-id"), null);
		const lost = { "Mcp-Session-Id": "a".repeat(32), Accept: "text/event-stream" };
		assert.equal((await fetch(`${souk_url()}/mcp`, { headers: lost })).status, 404);
		assert.equal((await fetch(`${souk_url()}/mcp`, { method: "DELETE", headers: lost })).status, 404);
		assert.equal((await raw(rpc("ping"), { "Mcp-Session-Id": "a".repeat(32) })).status, 404);
	});

	test("bare calls of scripts are served", async () => {
		const answer = await raw(rpc("tools/call", { name: "list_categories" }), { Accept: "application/json" });
		assert.equal(answer.status, 200);
		assert.equal(answer.headers.get("content-type"), "application/json");
		const { result } = await answer.json();
		assert.ok(result.structuredContent.categories.length > 0);
		assert.equal(result.resultType, undefined);
	});

	test("a client that takes only event streams gets one", async () => {
		const answer = await raw(rpc("ping"), { Accept: "text/event-stream" });
		assert.match(answer.headers.get("content-type"), /^text\/event-stream/);
		assert.match(await answer.text(), /^event: message\ndata: \{"jsonrpc":"2\.0","id":7,"result":\{\}\}\n\n$/);
	});

	test("what is no message is refused with the right status", async () => {
		for (const [body, headers, status, code] of [
			["{", {}, 400, -32700],
			["", {}, 400, -32700],
			["[]", {}, 400, -32600],
			['{"jsonrpc":"2.0","id":null,"method":"ping"}', {}, 400, -32600],
			['{"jsonrpc":"2.0","id":1,"method":"ping"}', { "Content-Type": "text/plain" }, 415, -32600],
			['{"jsonrpc":"2.0","id":1,"method":"ping"}', { "MCP-Protocol-Version": "1999-01-01" }, 400, -32600],
			['{"jsonrpc":"2.0","id":1,"method":"nothing/list"}', {}, 200, -32601],
		]) {
			const answer = await raw(body, headers);
			assert.equal(answer.status, status, body);
			assert.equal((await answer.json()).error.code, code, body);
		}
		const note = await raw({ jsonrpc: "2.0", method: "notifications/initialized" });
		assert.equal(note.status, 202);
		assert.equal(await note.text(), "");
	});

	test("a token that is not good is refused before anything else", async () => {
		const answer = await raw(rpc("ping"), { Authorization: "Bearer mcp_key_AAAAAAAAAAAA_wrong" });
		assert.equal(answer.status, 401);
		assert.match(answer.headers.get("www-authenticate"), /^Bearer .*error="invalid_token"/);
	});

	test("modern requests need headers that agree with them", async () => {
		const _meta = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };
		const call = rpc("tools/call", { name: "list_categories", _meta });
		const good = { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "list_categories" };
		const answer = await raw(call, good);
		assert.equal(answer.status, 200);
		const { result } = await answer.json();
		assert.equal(result.resultType, "complete");
		assert.equal(result._meta["io.modelcontextprotocol/serverInfo"].name, "souk");
		for (const change of [{ "Mcp-Name": "other" }, { "Mcp-Name": undefined }, { "Mcp-Method": "Tools/Call" }, { "MCP-Protocol-Version": "2025-11-25" }]) {
			const headers = Object.fromEntries(Object.entries({ ...good, ...change }).filter(([, v]) => v !== undefined));
			const refused = await raw(call, headers);
			assert.equal(refused.status, 400);
			assert.equal((await refused.json()).error.code, -32020);
		}
	});

	test("an origin that is not ours is refused", async () => {
		assert.equal((await raw(rpc("ping"), { Origin: "https://evil.example.com" })).status, 403);
		assert.equal((await raw(rpc("ping"), { Origin: souk_url() })).status, 200);
	});
});
