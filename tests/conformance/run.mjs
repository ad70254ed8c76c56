/*
 * Runs the official conformance suite against SOUK_URL, for both eras: all scored scenarios of the newest revision of each, and the named ones that are not
 * scored. One line of TAP per scenario. Expects nothing to fail; a scenario less than here is a failure too.
 *
 *   node run.mjs RESULTS     RESULTS: a folder for what the suite writes
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

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
		{ encoding: "utf8", timeout: 170000 });
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
console.log(`1..${n}`);
console.log(`# pass ${n - failed}`);
console.log(`# fail ${failed}`);
process.exit(failed ? 1 : 0);
