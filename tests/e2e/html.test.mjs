/* The pages' HTML, by the rules of the living standard. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { HtmlValidate } from "html-validate";
import { root } from "./support.mjs";

const rules = new HtmlValidate({
	extends: ["html-validate:standard", "html-validate:a11y"],
	rules: {
		/* Written as the standard writes them: <!doctype html>, and void elements without a slash. */
		"doctype-style": "off",
		"void-style": ["error", { style: "omit" }],
		"require-sri": "off",
	},
});

for (const name of readdirSync(join(root, "htdocs")).filter((file) => file.endsWith(".html")))
	test(`${name} is valid`, async () => {
		const { results } = await rules.validateString(readFileSync(join(root, "htdocs", name), "utf8"));
		assert.deepEqual(results.flatMap(({ messages }) => messages.map(({ line, column, ruleId, message }) => `${line}:${column} ${ruleId}: ${message}`)), []);
	});
