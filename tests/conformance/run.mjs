/*
 * Runs the official conformance suite against SOUK_URL, for both eras: all scored scenarios of the newest revision of each, and the named ones that are not
 * scored; then the scenarios for authorization servers, with a person who logs in and allows. One line of TAP per scenario. Expects nothing to fail; a
 * scenario less than here is a failure too.
 *
 *   node run.mjs RESULTS     RESULTS: a folder for what the suite writes
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { make_staff, Person } from "../e2e/person.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(process.env.NODE_MODULES ?? join(here, "node_modules"));
const suite = join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js");
const results = process.argv[2] ?? "results";

/* Revision -> how many scenarios are scored, and which are wanted beside. */
const wanted = {
	"2025-11-25": { scored: 30, beside: ["server-session-lifecycle", "json-schema-2020-12", "server-sse-polling"] },
	"2026-07-28": { scored: 37, beside: ["json-schema-2020-12", "http-header-validation", "http-custom-header-server-validation"] },
};

let n = 0;
let failed = 0;

function report(ok, name, output) {
	n++;
	failed += ok ? 0 : 1;
	console.log(`${ok ? "ok" : "not ok"} ${n} - ${name}`);
	if (!ok && output)
		console.log(output.split("\n").map((line) => `  ${line}`).join("\n"));
}

for (const [revision, { scored, beside }] of Object.entries(wanted)) {
	const folder = join(results, revision);
	rmSync(folder, { recursive: true, force: true });
	const run = spawnSync(process.execPath, [suite, "server", "--url", `${process.env.SOUK_URL}/mcp`, "--requirements", revision, "-o", folder],
		{ encoding: "utf8", timeout: 400000 });
	const text = run.stdout + run.stderr;
	const outcome = new Map();
	for (const [, mark, name, checks] of text.slice(text.indexOf("=== SUMMARY ===")).matchAll(/^([✓✗]) ([a-z0-9-]+): (\d+) passed/gm))
		outcome.set(name, { ok: mark === "✓", checks: Number(checks) });
	const unscored = new Set([...text.matchAll(/^ +[✓✗] ([a-z0-9-]+) \(/gm)].map(([, name]) => name));
	const counted = [...outcome].filter(([name]) => !unscored.has(name));
	for (const [name, { ok }] of counted)
		report(ok, `${revision} ${name}`, text);
	report(counted.length === scored && run.status === 0, `${revision}: ${scored} scored scenarios, exit status 0`, text.slice(-2000));
	for (const name of beside)
		report(outcome.get(name)?.ok === true, `${revision} ${name} (not scored)`, text.slice(-2000));
}
/* The suite opens no browser: it prints the address that a person has to go to, and waits for the answer. */
async function authorization() {
	const port = await new Promise((done) => {
		const probe = createServer().listen(0, "127.0.0.1", () => {
			const { port } = probe.address();
			probe.close(() => done(port));
		});
	});
	const env = { PATH: process.env.PATH, SOUK_CONF: process.env.SOUK_CONF };
	const client = JSON.parse(execFileSync(process.env.SOUK_BIN, ["oauth", "client", "--name", "Conformance", "--redirect",
		`http://127.0.0.1:${port}/callback`, "--json"], { encoding: "utf8", env }));
	const staff = make_staff();
	const run = spawn(process.execPath, [suite, "authorization", "--url", process.env.SOUK_URL, "--client-id", client.client_id, "--resource",
		`${process.env.SOUK_URL}/mcp`, "--port", String(port), "-o", join(results, "authorization")], { stdio: ["ignore", "pipe", "pipe"] });
	let text = "";
	let asked = false;
	const timer = setTimeout(() => run.kill(), 200000);
	for (const stream of [run.stdout, run.stderr])
		stream.on("data", async (data) => {
			text += data;
			const url = /^(http\S+\/oauth\/authorize\?\S+)$/m.exec(text);
			if (!url || asked)
				return;
			asked = true;
			try {
				await fetch(await new Person(process.env.SOUK_URL).allow(url[1], staff));
			} catch (error) {
				text += error.stack;
				run.kill();
			}
		});
	const status = await new Promise((done) => run.on("close", done));
	clearTimeout(timer);
	const outcome = new Map([...text.slice(text.indexOf("=== SUMMARY ===")).matchAll(/^([✓✗]) ([a-z0-9-]+): (\d+) passed, (\d+) failed/gm)]
		.map(([, mark, name, passed, failed]) => [name, mark === "✓" && Number(passed) > 0 && Number(failed) === 0]));
	for (const name of ["authorization-server-metadata-endpoint", "authorization-code-grant"])
		report(outcome.get(name) === true, `authorization ${name}`, text.slice(-3000));
	report(outcome.size === 2 && status === 0, "authorization: 2 scenarios, exit status 0", text.slice(-2000));
}
rmSync(join(results, "authorization"), { recursive: true, force: true });
await authorization();

console.log(`1..${n}`);
console.log(`# pass ${n - failed}`);
console.log(`# fail ${failed}`);
process.exit(failed ? 1 : 0);
