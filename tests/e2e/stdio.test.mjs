/*
 * souk-stdio with the official clients, which start it as assistants and editors do; and with what no client would send. The programs are those beside
 * SOUK_BIN; what asks the client something is one of SOUK_BUILD_DIR, with the fixtures of the conformance suite.
 */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";

import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { CreateMessageRequestSchema, ElicitRequestSchema, ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { setting, until } from "./support.mjs";

const info = { name: "souk-e2e", version: "1.0.0" };
const program = join(dirname(setting("SOUK_BIN")), "souk-stdio");
const asking = join(setting("SOUK_BUILD_DIR"), "souk-stdio-conformance");
const modern = { "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} };

const kinds = {
	"sdk 1.x": { client: (o) => new LegacyClient(info, o), transport: LegacyTransport },
	"client 2.x, handshake": { client: (o) => new Client(info, o), transport: StdioClientTransport },
	"client 2.x, auto": { client: (o) => new Client(info, { versionNegotiation: { mode: "auto" }, ...o }), transport: StdioClientTransport },
};

const open = [];
after(() => Promise.all(open.map((client) => client.close())));

const environment = (more) => ({ PATH: process.env.PATH, SOUK_CONF: setting("SOUK_CONF"), RATE_DATA: "off", RATE_MCP: "off", MCP_LOG_LEVEL: "error", ...more });

async function connect(kind, { args = [], env = {}, options = {}, command = program } = {}) {
	const { client: make, transport: Transport } = kinds[kind];
	const client = make(options);
	const transport = new Transport({ command, args, env: environment({ SOUK_TOKEN: setting("SOUK_ADMIN_TOKEN"), ...env }), stderr: "inherit" });
	await client.connect(transport);
	open.push(client);
	return client;
}

/* Start the program, write text, close its input unless it is to stay open -> { status, lines, errors }. */
function run(text, { args = [], env = {}, keep = false } = {}) {
	const child = spawn(program, args, { env: environment(env) });
	const out = { child, text: "", errors: "" };
	child.stdout.on("data", (data) => { out.text += data; });
	child.stderr.on("data", (data) => { out.errors += data; });
	child.stdin.on("error", () => {});
	child.stdin.write(text);
	if (!keep)
		child.stdin.end();
	out.lines = () => out.text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
	out.end = once(child, "close").then(([status, signal]) => ({ status, signal }));
	return out;
}

const rpc = (id, method, params = {}) => `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;

for (const kind of Object.keys(kinds))
	describe(`stdio, ${kind}`, () => {
		test("lists, calls, reads, completes and gets prompts", async () => {
			const client = await connect(kind);
			assert.equal(client.getServerVersion().name, "souk");
			const { tools } = await client.listTools();
			assert.ok(tools.length > 5);
			const { structuredContent } = await client.callTool({ name: "search_products", arguments: { query: "lampe", limit: 3 } });
			assert.equal(structuredContent.products.length, 3);
			assert.ok((await client.listResources()).resources.length > 0);
			assert.ok(JSON.parse((await client.readResource({ uri: "souk://products/categories" })).contents[0].text).categories.length > 0);
			const { completion } = await client.complete({ ref: { type: "ref/prompt", name: "greeting" }, argument: { name: "timeOfDay", value: "mo" } });
			assert.deepEqual(completion.values, ["morning"]);
			assert.match((await client.getPrompt({ name: "greeting", arguments: { language: "fr", customerName: "Zoé", timeOfDay: "morning" } }))
				.messages[0].content.text, /Zoé/);
		});

		test("offers the tools of one server, without a token the public ones", async () => {
			const client = await connect(kind, { args: ["--server", "orders"], env: { SOUK_TOKEN: "" } });
			assert.equal(client.getServerVersion().name, "souk-orders");
			assert.deepEqual((await client.listTools()).tools.filter((tool) => tool.name === "search_products"), []);
			await assert.rejects(client.callTool({ name: "search_orders", arguments: {} }));
		});

		test("answers many requests at a time, each to its own", async () => {
			const client = await connect(kind);
			const { structuredContent } = await client.callTool({ name: "search_products", arguments: { limit: 40 } });
			const got = await Promise.all(structuredContent.products.map(({ id }) => client.callTool({ name: "get_product_details", arguments: { productId: id } })));
			assert.deepEqual(got.map((answer) => answer.structuredContent.id ?? answer.structuredContent.product.id), structuredContent.products.map(({ id }) => id));
		});

		test("asks the client in the middle of a call", async () => {
			const client = await connect(kind, { command: asking, env: { SOUK_CONFORMANCE: "on", ENVIRONMENT: "development" },
				options: { capabilities: { elicitation: {}, sampling: {} } } });
			const asked = [];
			const elicit = async ({ params }) => { asked.push(params.message); return { action: "accept", content: { name: "Zoe", username: "zoe", email: "zoe@example.org" } }; };
			const sample = async ({ params }) => {
				asked.push(params.messages[0].content.text);
				return { role: "assistant", model: "none", content: { type: "text", text: "four" } };
			};
			client.setRequestHandler(kind === "sdk 1.x" ? ElicitRequestSchema : "elicitation/create", elicit);
			client.setRequestHandler(kind === "sdk 1.x" ? CreateMessageRequestSchema : "sampling/createMessage", sample);
			const { tools } = await client.listTools();
			const names = tools.map(({ name }) => name);
			if (kind.endsWith("auto")) {
				const tool = names.find((name) => /input_required.*elicitation/.test(name));
				const { content } = await client.callTool({ name: tool, arguments: {} });
				assert.ok(content[0].text.length > 0);
				assert.equal(asked.length, 1);
				return;
			}
			const chosen = await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
			assert.match(chosen.content[0].text, /zoe@example\.org/);
			const sampled = await client.callTool({ name: "test_sampling", arguments: { prompt: "2 + 2?" } });
			assert.match(sampled.content[0].text, /four/);
			assert.equal(asked.length, 2);
		});

		test("tells progress", async () => {
			const client = await connect(kind, { command: asking, env: { SOUK_CONFORMANCE: "on", ENVIRONMENT: "development" } });
			const told = [];
			await client.callTool({ name: "test_tool_with_progress", arguments: {} }, ...(kind === "sdk 1.x" ? [undefined] : []),
				{ onprogress: ({ progress }) => told.push(progress) });
			/* the newer client may have forgotten the request when it comes to the last */
			assert.deepEqual(told, [0, 50, 100].slice(0, told.length));
			assert.ok(told.length >= 2);
		});

		test("hears of what it subscribed to", async () => {
			const client = await connect(kind);
			const told = [];
			const note = ({ params }) => told.push(params.uri);
			const { values: [slug] } = (await client.complete({ ref: { type: "ref/resource", uri: "souk://products/{slug}" }, argument: { name: "slug", value: "" } })).completion;
			const uri = `souk://products/${slug}`;
			client.setNotificationHandler(kind === "sdk 1.x" ? ResourceUpdatedNotificationSchema : "notifications/resources/updated", note);
			if (kind.endsWith("auto"))
				await client.listen({ resourceSubscriptions: [uri] });
			else
				await client.subscribeResource({ uri });
			await until(async () => {
				execFileSync("psql", ["-X", "-q", "-d", setting("DATABASE_URL"), "-c", `UPDATE shop.products SET updated_at = now() WHERE slug = '${slug}'`]);
				await new Promise((done) => setTimeout(done, 100));
				return told.length > 0;
			});
			assert.equal(told[0], uri);
			assert.ok((await client.listTools()).tools.length > 0);	/* and the connection serves on */
		});
	});

describe("stdio, the pipe", () => {
	test("ends when its input does, after the last answer", async () => {
		const out = run(rpc(1, "initialize", { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: info }) +
			rpc(2, "tools/call", { name: "list_categories", arguments: {} }) + rpc("three", "ping").trimEnd());
		assert.deepEqual(await out.end, { status: 0, signal: null });
		assert.deepEqual(out.lines().map(({ id }) => id).sort(), [1, 2, "three"]);
		assert.equal(out.lines()[0].id, 1);
	});

	test("answers garbage line by line with defined errors", async () => {
		const lines = ["{", "nonsense", "\u0000\u0001", "[]", "[1]", "null", "7", '"x"', '{"jsonrpc":"1.0","id":1,"method":"ping"}', '{"jsonrpc":"2.0","id":null,"method":"ping"}',
			'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', '{"jsonrpc":"2.0","id":{},"method":"ping"}', `${"[".repeat(5000)}`, `{"a":"${"x".repeat(3 << 20)}"}`, "\u{fffe}",
			'{"jsonrpc":"2.0","id":5,"method":"tools/call","params":[]}', '{"jsonrpc":"2.0","id":6,"method":"nothing"}'];
		const bytes = Buffer.concat([Buffer.from(`${lines.join("\n")}\n`), Buffer.from([0xff, 0xfe, 0x0a, 0x0d, 0x0a]), Buffer.from(rpc(9, "ping"))]);
		const out = run(bytes);
		assert.deepEqual(await out.end, { status: 0, signal: null });
		const answers = out.lines();
		assert.equal(answers.length, lines.length + 2);
		assert.ok(answers.filter(({ error }) => error).every(({ error }) => [-32700, -32600, -32601, -32602].includes(error.code)));
		assert.deepEqual(answers.filter(({ result }) => result), [{ jsonrpc: "2.0", id: 9, result: {} }]);
	});

	test("answers nothing to a request that was given up", async () => {
		const out = run(rpc(1, "tools/call", { name: "search_products", arguments: { query: "lampe" } }) +
			`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } })}\n` + rpc(2, "ping"));
		assert.equal((await out.end).status, 0);
		assert.deepEqual(out.lines().map(({ id }) => id), [2]);
	});

	test("keeps to the era in which the connection began", async () => {
		const late = run(rpc(1, "server/discover", { _meta: modern }) + rpc(2, "initialize", { protocolVersion: "2025-11-25", capabilities: {} }) +
			rpc(3, "tools/list", { _meta: modern }));
		await late.end;
		const byId = Object.fromEntries(late.lines().map((answer) => [answer.id, answer]));
		assert.deepEqual(byId[1].result.supportedVersions, ["2026-07-28"]);
		assert.equal(byId[2].result.protocolVersion, "2025-11-25");
		assert.equal(byId[3].result.resultType, undefined);	/* legacy stays legacy */
		const fixed = run(rpc(1, "tools/list", { _meta: modern }) + rpc(2, "initialize", { protocolVersion: "2025-11-25", capabilities: {} }));
		await fixed.end;
		const { error } = fixed.lines().find(({ id }) => id === 2);
		assert.deepEqual([error.code, error.data], [-32022, { supported: ["2026-07-28"], requested: "2025-11-25" }]);
	});

	test("ends quietly when nobody reads, and upon SIGTERM", async () => {
		const deaf = run("", { keep: true });
		deaf.child.stdout.destroy();
		for (let i = 0; i < 50; i++)
			deaf.child.stdin.write(rpc(i, "tools/list"));
		assert.deepEqual(await deaf.end, { status: 0, signal: null });
		const stopped = run(rpc(1, "ping"), { keep: true });
		await until(() => stopped.text.includes("\n"));
		stopped.child.kill("SIGTERM");
		assert.deepEqual(await stopped.end, { status: 0, signal: null });
	});

	test("refuses a token that is not good, and hides it from the list of processes", async () => {
		const bad = run("", { args: ["--token", "mcp_key_AAAAAAAAAAAA_wrong"] });
		assert.equal((await bad.end).status, 77);
		assert.match(bad.errors, /not valid/);
		const good = run(rpc(1, "tools/list"), { args: ["--token", setting("SOUK_STAFF_TOKEN")], keep: true });
		await until(() => good.text.includes("\n"));
		const args = execFileSync("ps", ["-ww", "-o", "args=", "-p", String(good.child.pid)], { encoding: "utf8" });
		assert.ok(!args.includes(setting("SOUK_STAFF_TOKEN")) && /--token x+/.test(args), args);
		good.child.stdin.end();
		assert.equal((await good.end).status, 0);
	});
});
