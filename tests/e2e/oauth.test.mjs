/*
 * Logging in as real assistants do: the official clients with their own OAuth code, by both ways of saying who they are, and the pages in a browser.
 * The person is people's (person.mjs) or Chromium's; the clients check metadata, issuer, state and errors themselves.
 */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";

import { UnauthorizedError as LegacyUnauthorized } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";

import { make_staff, Person } from "./person.mjs";
import { comes_to, launch, PATIENCE_MS, setting, souk_url } from "./support.mjs";

const info = { name: "souk-e2e", version: "1.0.0" };
const redirect = "http://localhost:33418/callback";
const env = { SOUK_BIN: setting("SOUK_BIN"), SOUK_CONF: setting("SOUK_CONF") };
const staff = make_staff("viewer", env);

const kinds = {
	"sdk 1.x": { client: () => new LegacyClient(info), transport: LegacyTransport, unauthorized: LegacyUnauthorized },
	"client 2.x, handshake": { client: () => new Client(info), transport: StreamableHTTPClientTransport, unauthorized: UnauthorizedError },
	"client 2.x, auto": {
		client: () => new Client(info, { versionNegotiation: { mode: "auto" } }), transport: StreamableHTTPClientTransport, unauthorized: UnauthorizedError,
	},
};

/* ---- the assistant's own web site ------------------------------------------------------ */

const conf = Object.fromEntries(readFileSync(env.SOUK_CONF, "utf8").split("\n").map((line) => line.split(/ = (.*)/)).filter((pair) => pair.length > 1));
const site = `https://assistant.example:${conf.OUTGOING_PORTS?.split(",")[1]}`;
const document_url = `${site}/oauth/client.json`;
let served;
let reads = 0;

before(async () => {
	const pem = conf.OUTGOING_CA_FILE;
	served = createServer({ cert: readFileSync(pem), key: readFileSync(pem.replace(/\.pem$/, ".key")) }, (request, response) => {
		reads++;
		response.setHeader("Content-Type", "application/json");
		response.end(JSON.stringify({
			client_id: site + request.url, client_name: "Documented Assistant", client_uri: site, redirect_uris: ["http://localhost/callback", "http://127.0.0.1/callback"],
			grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], token_endpoint_auth_method: "none",
		}));
	});
	await new Promise((done) => served.listen(Number(conf.OUTGOING_PORTS.split(",")[1]), "127.0.0.1", done));
});
after(() => new Promise((done) => served.close(done)));

/* ---- the assistant's memory ---------------------------------------------------------------- */

class Provider {
	constructor(url) {
		this.clientMetadataUrl = url;
		this.expected = randomUUID();
	}
	get redirectUrl() { return redirect; }
	get clientMetadata() {
		return { client_name: "Registered Assistant", redirect_uris: [redirect], grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
			token_endpoint_auth_method: "none" };
	}
	state() { return this.expected; }
	clientInformation() { return this.client; }
	saveClientInformation(client) { this.client = client; }
	tokens() { return this.kept; }
	saveTokens(tokens) { this.kept = tokens; }
	redirectToAuthorization(url) { this.asked = url; }
	saveCodeVerifier(verifier) { this.verifier = verifier; }
	codeVerifier() { return this.verifier; }
	saveDiscoveryState(state) { this.discovered = state; }
	discoveryState() { return this.discovered; }
}

const open = [];
after(() => Promise.all(open.map((client) => client.close())));

/* A client at the shop, without a token yet. */
async function connect(kind, provider) {
	const client = kinds[kind].client();
	const transport = new kinds[kind].transport(new URL(`${souk_url()}/mcp`), { authProvider: provider });
	await client.connect(transport);
	open.push(client);
	return { client, transport };
}

/* The call's result; where the shop asks to log in first, the person does so, and the call is made again. */
async function call(kind, { client, transport }, provider, person, staff, tool, args = {}) {
	provider.asked = undefined;
	try {
		return await client.callTool({ name: tool, arguments: args });
	} catch (error) {
		assert.ok(error instanceof kinds[kind].unauthorized, `${error.stack}`);
	}
	assert.ok(provider.asked, "the client did not send its user anywhere");
	const back = new URL(await person.allow(provider.asked.href, staff));
	assert.equal(back.origin + back.pathname, redirect);
	assert.equal(back.searchParams.get("state"), provider.expected);
	if (kind === "sdk 1.x")
		await transport.finishAuth(back.searchParams.get("code"));
	else
		await transport.finishAuth(back.searchParams);
	return client.callTool({ name: tool, arguments: args });
}

for (const kind of Object.keys(kinds))
	for (const [way, url] of [["registration", undefined], ["a metadata document", document_url]])
		describe(`${kind}, ${way}`, () => {
			test("connects without a log-in, logs in for its user's call, refreshes, and asks for more when it needs more", async () => {
				const provider = new Provider(url);
				const person = new Person(souk_url());
				const connection = await connect(kind, provider);
				assert.equal(provider.asked, undefined, "the catalogue asked for a log-in");
				assert.ok((await connection.client.listTools()).tools.some((tool) => tool.name === "search_products"));
				assert.equal((await connection.client.callTool({ name: "list_categories", arguments: {} })).isError, undefined);

				const before = reads;
				const first = await call(kind, connection, provider, person, staff, "search_orders", { limit: 1 });
				assert.equal(first.structuredContent.orders.length, 1);
				assert.match(person.question.text, url ? /Documented Assistant<\/strong> <span class="mark">assistant\.example</
					: /Registered Assistant<\/strong> <span class="mark not">unverified</);
				assert.match(person.question.text, /Odile Martin/);
				assert.match(person.question.text, url ? /Any program on this device could ask in that name/ : /nobody has checked it/);
				assert.match(person.question.text, /See all orders/);
				if (url) {
					assert.equal(provider.client?.client_id, document_url);
					assert.ok(reads - before <= 1, "the document is not remembered");
				}

				/* The access token ends; the client notices, and gets the next one without its user. */
				const old = provider.kept;
				await fetch(`${souk_url()}/oauth/revoke`, { method: "POST", body: new URLSearchParams({ token: old.access_token, client_id: provider.client.client_id }) });
				provider.asked = undefined;
				const second = await connection.client.callTool({ name: "search_orders", arguments: { limit: 1 } });
				assert.equal(second.structuredContent.orders.length, 1);
				assert.equal(provider.asked, undefined, "the user was asked again");
				assert.notEqual(provider.kept.access_token, old.access_token);
				assert.notEqual(provider.kept.refresh_token, old.refresh_token);

				/* Another right: told which (403), the client asks its user again. The 1.x client refreshes instead, which cannot give more. */
				if (kind === "sdk 1.x")
					return;
				const third = await call(kind, connection, provider, person, staff, "list_tickets");
				assert.ok(Array.isArray(third.structuredContent.tickets));
				assert.match(provider.asked.searchParams.get("scope"), /support:read/);
				assert.match(person.question.text, /See all requests/);
			});
		});

test("a client that was told no has nothing", async () => {
	const provider = new Provider();
	const { client } = await connect("client 2.x, auto", provider);
	await assert.rejects(client.callTool({ name: "search_orders", arguments: {} }), UnauthorizedError);
	const back = new URL(await new Person(souk_url()).allow(provider.asked.href, staff, "deny"));
	assert.equal(back.searchParams.get("error"), "access_denied");
	assert.equal(back.searchParams.get("iss"), souk_url());
	assert.equal(back.searchParams.get("code"), null);
});

/* ---- in a browser ------------------------------------------------------------------------------ */

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

for (const [language, words] of Object.entries({
	en: { title: "Allow access?", allow: "Allow", right: "See all orders, their items and where parcels are", unverified: "unverified" },
	fr: { title: "Autoriser l’accès ?", allow: "Autoriser", right: "Voir toutes les commandes, leur contenu et où sont les colis", unverified: "non vérifié" },
}))
	test(`the pages in Chromium, ${language}`, async () => {
		const provider = new Provider();
		const { client, transport } = await connect("client 2.x, auto", provider);
		await assert.rejects(client.callTool({ name: "search_orders", arguments: {} }), UnauthorizedError);

		const browser = await launch();
		try {
			const page = await (await browser.newContext({ locale: language === "fr" ? "fr-FR" : "en-GB", viewport: { width: 390, height: 844 } })).newPage();
			page.setDefaultTimeout(PATIENCE_MS);
			const wrong = [];
			page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
			page.on("pageerror", (error) => wrong.push(error.stack));
			const shot = async (name) => {
				if (process.env.SCREENSHOTS)
					await page.waitForTimeout(400).then(() => page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${language}.png`, fullPage: true }));
			};
			await page.route("http://localhost:33418/**", (route) => route.fulfill({ status: 200, contentType: "text/plain", body: "done" }));

			await page.goto(provider.asked.href);
			await page.getByRole("link").last().click();
			await page.locator("input[name=password]").waitFor();	/* the page before has a field for the address, too */
			await page.locator("input[name=email]").fill(staff.email);
			await page.locator("input[name=password]").fill(staff.password);
			await shot("login");
			await page.locator("button.main").click();

			await page.getByRole("heading", { name: words.title }).waitFor();
			await comes_to(() => page.getByText(words.right).count(), 1);
			assert.equal(await page.locator(".mark.not").innerText(), words.unverified);
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than the window");
			await shot("consent");
			await page.setViewportSize({ width: 1280, height: 900 });
			await shot("consent-wide");
			await page.emulateMedia({ colorScheme: "dark" });
			await shot("consent-dark");
			/* Our own policy allows no foreign script, which is right: look at the same page without it. */
			const plain = await (await browser.newContext()).newPage();
			await plain.setContent(await page.content());
			await plain.addScriptTag({ content: axe });
			const { violations } = await plain.evaluate(() => window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], rules: { "color-contrast": { enabled: false } } }));
			assert.deepEqual(violations.map((violation) => violation.id), []);

			await page.getByRole("button", { name: words.allow, exact: true }).click();
			await page.waitForURL("http://localhost:33418/**");
			assert.deepEqual(wrong, []);
			await transport.finishAuth(new URL(page.url()).searchParams);
			assert.equal((await client.callTool({ name: "search_orders", arguments: { limit: 1 } })).structuredContent.orders.length, 1);
		} finally {
			await browser.close();
		}
	});
