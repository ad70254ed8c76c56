/* Product drawings: souk-draw's input and output, and that a browser shows what it draws. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, root } from "./support.mjs";

const kinds_dir = join(root, "htdocs/img/kinds");
let dir;
before(() => { dir = mkdtempSync(join(tmpdir(), "souk-draw-")); });
after(() => rmSync(dir, { recursive: true, force: true }));

function draw(lines, out = join(dir, "out"), flags = []) {
	const result = spawnSync(join(root, "bin/souk-draw"), [...flags, out], { input: lines, encoding: "utf8" });
	return { ...result, read: (slug) => readFileSync(join(out, `${slug}.svg`), "utf8") };
}

/* The kinds that the demo data may use: the names in the table of the README. */
function kinds() {
	const table = /## Kinds\n([^]*?)\n## /.exec(readFileSync(join(kinds_dir, "README.md"), "utf8"))[1];
	return [...table.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
}

describe("souk-draw", () => {
	test("draws every kind of the table, each unlike the others", () => {
		const names = kinds();
		assert.ok(names.length >= 24);
		for (const name of names)
			assert.ok(existsSync(join(kinds_dir, `${name}.svg`)), `${name} has no drawing`);
		const { status, stderr, stdout, read } = draw(names.map((name) => `x\t${name}\t#7d8f69`.replace("x", `p-${name}`)).join("\n"));
		assert.equal(stderr, "");
		assert.equal(status, 0);
		assert.match(stdout, new RegExp(`${names.length} pictures`));
		const bodies = names.map((name) => read(`p-${name}`).replace(/^[^]*<g transform="[^"]*">/, "").replace(/<title>.*<\/title>/, ""));
		assert.equal(new Set(bodies).size, names.length);
		for (const name of names)
			assert.ok(!read(`p-${name}`).includes("@@"), name);
	});

	test("every drawing uses known tokens and loads nothing", () => {
		const tokens = ["SCENE", "HANG", "FACE", "TITLE", "COLOUR", "SHADE", "DEEP", "TINT", "PALE", "WALL", "FLOOR"];
		for (const file of readdirSync(kinds_dir).filter((name) => name.endsWith(".svg"))) {
			const art = readFileSync(join(kinds_dir, file), "utf8");
			assert.ok(art.includes("<title>@@TITLE@@</title>"), file);
			assert.deepEqual([...art.matchAll(/@@(.*?)@@/g)].map(([, name]) => name).filter((name) => !tokens.includes(name)), [], file);
			assert.ok(!/href|<image|<style|<script|@import/.test(art), file);
		}
	});

	test("the same line gives the same bytes, another colour others", () => {
		const line = "vase-sable\tvase\t#c9a227\tVase en grès";
		const [one, two, other] = [draw(line, join(dir, "1")), draw(`a\tbox\t#112233\n${line}\n`, join(dir, "2")), draw(line.replace("c9a227", "3d5a80"), join(dir, "3"))].map(({ read }) => read("vase-sable"));
		assert.equal(one, two);
		assert.notEqual(one, other);
		assert.ok(one.includes("#c9a227") && other.includes("#3d5a80"));
	});

	test("titles are escaped, whatever they hold", () => {
		const { read, status } = draw("a\tlamp\t#aabbcc\tA & B <script>\"@@COLOUR@@\\&'é\n");
		assert.equal(status, 0);
		assert.ok(read("a").includes("<title>A &amp; B &lt;script&gt;\"@@COLOUR@@\\&amp;'é</title>"));
	});

	test("without a title it is the slug, a kind nobody knows is an object, a colour that is none is chosen", () => {
		const { read, status } = draw("thing\tspaceship\tblue\nthing-2\tobject\t\n");
		assert.equal(status, 0);
		assert.ok(read("thing").includes("<title>thing</title>"));
		assert.ok(!/#(NaN|-)|blue/.test(read("thing")));
		assert.equal(read("thing").match(/<path/g).length > 3, true);
	});

	test("a slug that is no file name is refused with its line, and the rest is drawn", () => {
		for (const slug of ["../evil", "a/b", ".hidden", "A", "a b", "é", "", "-x", "x".repeat(201)]) {
			const out = mkdtempSync(join(dir, "bad-"));
			const { status, stderr } = draw(`good\tlamp\t#aabbcc\n${slug}\tlamp\t#aabbcc\n`, out);
			assert.equal(status, 1, slug);
			assert.match(stderr, /line 2/);
			assert.deepEqual(readdirSync(out), ["good.svg"]);
		}
	});

	test("it says how it is used, and when there are no drawings", () => {
		assert.equal(spawnSync(join(root, "bin/souk-draw"), [], { encoding: "utf8" }).status, 2);
		const { status, stderr } = draw("", join(dir, "none"), ["-k", dir]);
		assert.equal(status, 2);
		assert.match(stderr, /no drawings found/);
	});

	test("a browser shows each of them", async () => {
		const out = join(dir, "all");
		const { status } = draw(kinds().map((name) => `${name}\t${name}\t#a26769`).join("\n"), out);
		assert.equal(status, 0);
		const browser = await launch();
		try {
			const page = await browser.newPage();
			for (const name of readdirSync(out)) {
				await page.goto(`file://${join(out, name)}`);
				const seen = await page.evaluate(() => ({
					root: document.documentElement.tagName,
					title: document.querySelector("title")?.textContent,
					loads: document.querySelectorAll("image, use, foreignObject, script, style").length,
					paints: [...document.querySelectorAll("[fill^='url('], [stroke^='url('], [clip-path^='url(']")].flatMap((node) => ["fill", "stroke", "clip-path"].map((a) => node.getAttribute(a))).filter((value) => value?.startsWith("url(#")).filter((value) => !document.getElementById(value.slice(5, -1))),
				}));
				assert.deepEqual(seen, { root: "svg", title: name.slice(0, -4), loads: 0, paints: [] }, name);
			}
		} finally {
			await browser.close();
		}
	});
});
