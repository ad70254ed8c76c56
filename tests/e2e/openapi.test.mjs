/* GET /openapi.json, as redocly lint reads it, by its recommended rules. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { souk_url } from "./support.mjs";

test("redocly finds no error in openapi.json", async () => {
	const source = await (await fetch(`${souk_url()}/openapi.json`)).text();
	const config = await createConfig({ extends: ["recommended"] });
	const problems = await lintFromString({ source, absoluteRef: "openapi.json", config });
	const errors = problems.filter(({ severity }) => severity === "error");
	assert.deepEqual(errors.map(({ ruleId, message, location }) => `${location[0]?.pointer ?? ""} ${ruleId}: ${message}`), []);
});
