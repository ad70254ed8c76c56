/* souk-ws with the official clients, through the web server: the older SDK has a WebSocket transport, the newer client is given one. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, describe, test } from "node:test";

import WebSocket from "ws";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { Client } from "@modelcontextprotocol/client";

import { setting, souk_url, until } from "./support.mjs";

const info = { name: "souk-e2e", version: "1.0.0" };
const url = (path = "/ws") => new URL(souk_url().replace(/^http/, "ws") + path);
const bearer = () => ({ Authorization: `Bearer ${setting("SOUK_ADMIN_TOKEN")}` });

/* The global of browsers and of later Node versions, with the token that a test wants to send. */
globalThis.WebSocket = class extends WebSocket {
	constructor(address, protocols) {
		super(address, protocols, { headers: bearer() });
	}
};

/* A transport as the newer client wants it. */
class SocketTransport {
	async start() {
		this.socket = new WebSocket(url(), ["mcp"], { headers: bearer() });
		this.socket.on("message", (data) => this.onmessage?.(JSON.parse(data)));
		this.socket.on("close", () => this.onclose?.());
		this.socket.on("error", (error) => this.onerror?.(error));
		await new Promise((resolve, reject) => this.socket.once("open", resolve).once("error", reject));
	}
	async send(message) { this.socket.send(JSON.stringify(message)); }
	async close() { this.socket.close(); }
	setProtocolVersion() {}
}

const kinds = {
	"sdk 1.x": { client: () => new LegacyClient(info), transport: () => new WebSocketClientTransport(url()) },
	"client 2.x, handshake": { client: () => new Client(info), transport: () => new SocketTransport() },
	"client 2.x, auto": { client: () => new Client(info, { versionNegotiation: { mode: "auto" } }), transport: () => new SocketTransport() },
};
const open = [];
after(() => Promise.all(open.map((client) => client.close())));

async function connect(kind) {
	const client = kinds[kind].client();
	await client.connect(kinds[kind].transport());
	open.push(client);
	return client;
}

for (const kind of Object.keys(kinds))
	describe(`websocket, ${kind}`, () => {
		test("lists, calls, reads, completes and gets prompts", async () => {
			const client = await connect(kind);
			assert.equal(client.getServerVersion().name, "souk");
			assert.ok((await client.listTools()).tools.length > 5);
			const { structuredContent } = await client.callTool({ name: "search_products", arguments: { query: "lampe", limit: 3 } });
			assert.equal(structuredContent.products.length, 3);
			assert.ok((await client.listResources()).resources.length > 0);
			assert.ok(JSON.parse((await client.readResource({ uri: "souk://products/categories" })).contents[0].text).categories.length > 0);
			const { completion } = await client.complete({ ref: { type: "ref/prompt", name: "greeting" }, argument: { name: "timeOfDay", value: "mo" } });
			assert.deepEqual(completion.values, ["morning"]);
			assert.match((await client.getPrompt({ name: "greeting", arguments: { language: "fr", customerName: "Zoé", timeOfDay: "morning" } })).messages[0].content.text, /Zoé/);
			await assert.rejects(client.callTool({ name: "no_such_tool", arguments: {} }));
		});

		test("answers many requests at a time", async () => {
			const client = await connect(kind);
			const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => client.callTool({ name: "list_categories", arguments: { limit: 1 + i } })));
			assert.deepEqual(answers.map((answer) => answer.structuredContent.categories.length), Array.from({ length: 30 }, (_, i) => 1 + i));
		});

		test("hears of what it subscribed to", async () => {
			const client = await connect(kind);
			const told = [];
			client.setNotificationHandler(kind === "sdk 1.x" ? ResourceUpdatedNotificationSchema : "notifications/resources/updated", ({ params }) => told.push(params.uri));
			const { values: [slug] } = (await client.complete({ ref: { type: "ref/resource", uri: "souk://products/{slug}" }, argument: { name: "slug", value: "" } })).completion;
			const uri = `souk://products/${slug}`;
			if (kind.endsWith("auto"))
				await client.listen({ resourceSubscriptions: [uri] });
			else
				await client.subscribeResource({ uri });
			await until(() => {
				execFileSync("psql", ["-X", "-q", "-d", setting("DATABASE_URL"), "-c", `UPDATE shop.products SET updated_at = now() WHERE slug = '${slug}'`]);
				return told.length > 0;
			}, 200);
			assert.equal(told[0], uri);
		});
	});
