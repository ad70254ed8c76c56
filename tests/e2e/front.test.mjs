/* The front page in a real browser, against the running service. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { comes_to, launch, mcp, open, open_filled, root, setting, souk_url, until } from "./support.mjs";

const axe_path = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

/* Runs f with a page, and nothing may have gone wrong on it. */
async function with_page(path, options, f) {
	const page = await open_filled(browser, path, options);
	try {
		await f(page);
		assert.deepEqual(page.wrong, []);
	} finally {
		await page.context().close();
	}
}

const souk = (...args) => execFileSync(setting("SOUK_BIN"), args, { encoding: "utf8", env: { ...process.env, SOUK_CONF: setting("SOUK_CONF") } });

const text_of = (page, selector) => page.locator(selector).innerText();

describe("loading", () => {
	test("the policy of the page allows nothing inline and nothing from elsewhere", async () => {
		const response = await fetch(`${souk_url()}/`);
		const policy = response.headers.get("content-security-policy") ?? "";
		for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"])
			assert.ok(policy.includes(part), `${part} is missing in: ${policy}`);
		/* Only pictures may come from elsewhere, since a shop keeps its own where it likes. */
		assert.ok(!/unsafe|https?:|\*/.test(policy.replace("img-src 'self' data: https:;", "")), policy);
		assert.equal(response.headers.get("x-content-type-options"), "nosniff");
		const html = await response.text();
		assert.ok(!/<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|https?:\/\/(?!your-shop\.example)/.test(html));
	});

	test("everything appears, without an error, a violation or a request elsewhere", async () => {
		await with_page("/", {}, async (page) => {
			await comes_to(() => text_of(page, "#now-text"), "Ready");
			await page.waitForLoadState("networkidle");
			const broken = await page.evaluate(async () => {
				for (const image of document.images)
					image.loading = "eager";
				await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
				return [...document.images].filter((image) => image.naturalWidth === 0 || image.src.endsWith("no-picture.svg")).map((image) => image.src);
			});
			assert.deepEqual(broken, []);
		});
	});

	test("a visitor loads less than 50 kB of script", async () => {
		for (const locale of ["en-GB", "fr-FR"]) {
			const page = await open(browser, "/", { locale });
			await page.locator("#products .card").first().waitFor();
			const names = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => new URL(entry.name).pathname).filter((name) => name.endsWith(".js")));
			let total = 0;
			for (const name of new Set(names))
				total += (await (await fetch(souk_url() + name)).arrayBuffer()).byteLength;
			assert.ok(names.length > 5 && total < 50000, `${total} bytes in ${names.length} scripts`);
			await page.context().close();
		}
	});

	test("nothing jumps while the parts arrive", async () => {
		for (const width of [360, 1280])
			await with_page("/?lang=fr", { width, height: 800 }, async (page) => {
				const shift = await page.evaluate(() => new Promise((resolve) => {
					new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))).observe({ type: "layout-shift", buffered: true });
					setTimeout(() => resolve(0), 500);
				}));
				assert.ok(shift < 0.05, `layout shift of ${shift} at ${width} px`);
			});
	});

	test("without scripts it tells where to connect, and how", async () => {
		const page = await open(browser, "/", { javaScriptEnabled: false });
		const said = await text_of(page, "body");
		for (const words of ["The shop that assistants can talk to.", "https://your-shop.example/mcp", "claude mcp add", "Authorization: Bearer", "search_products", "La recherche sur cette page demande JavaScript"])
			assert.ok(said.includes(words), words);
		assert.equal(await page.locator("button:visible").count(), await page.locator("#search button:visible").count());
		assert.equal(await page.locator("#clients h3:visible").count(), 6);
		await page.context().close();
	});

	test("no part of it parses text as markup", () => {
		const dir = join(root, "htdocs");
		for (const name of ["index.js", ...["front", "lib"].flatMap((part) => readdirSync(join(dir, part)).map((file) => `${part}/${file}`))])
			assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser/.test(readFileSync(join(dir, name), "utf8")), name);
	});
});

describe("languages", () => {
	test("the browser's language decides, ?lang= stands above it, a choice is kept", async () => {
		await with_page("/", { locale: "fr-FR" }, async (page) => {
			assert.equal(await page.getAttribute("html", "lang"), "fr");
			assert.equal(await text_of(page, "h1"), "La boutique à qui parlent les assistants.");
			assert.match(await page.title(), /la boutique/);
			assert.equal(await page.getAttribute("#q", "placeholder"), "lampe, coussin en lin, table en chêne");
			await page.goto(`${souk_url()}/?lang=en`);
			await page.locator("#products .card").first().waitFor();
			assert.equal(await page.getAttribute("html", "lang"), "en");
			await page.getByRole("button", { name: "Français" }).click();
			await page.locator("html[lang=fr]").waitFor();
			await page.waitForURL((url) => !url.search.includes("lang="));
			await page.locator("[data-lang=fr][aria-pressed=true]").waitFor();
			await page.getByRole("button", { name: "English" }).click();
			await page.locator("html[lang=en]").waitFor();
			await page.reload();
			await page.locator("#products .card").first().waitFor();
			assert.equal(await text_of(page, "h1"), "The shop that assistants can talk to.");
		});
	});

	test("products and prices follow the language", async () => {
		await with_page("/?q=lampe&lang=fr", {}, async (page) => {
			assert.match(await text_of(page, "#products .price >> nth=0"), /^\d[\d\u202f]*,\d\d\s€/);
			assert.match(await text_of(page, "#found"), /produits? (sur \d+ )?pour « lampe »/);
			await page.getByRole("button", { name: "English" }).click();
			await page.waitForFunction(() => /^€\d/.test(document.querySelector("#products .price")?.innerText ?? ""));
			await page.waitForFunction(() => /products? for “lampe”/.test(document.getElementById("found").innerText));
		});
	});

	test("nothing is left untranslated", () => {
		const words = (name) => [...readFileSync(join(root, "htdocs/lib", name), "utf8").matchAll(/^\t"([^"]+)": "(.*)",$/gm)];
		const [en, fr] = [words("en.js"), words("fr.js")];
		assert.ok(en.length > 60);
		assert.deepEqual(fr.map(([, key]) => key), en.map(([, key]) => key));
		for (const [i, [, key, text]] of en.entries())
			assert.deepEqual([...fr[i][2].matchAll(/\{\w+\}/g)].map(String).sort(), [...text.matchAll(/\{\w+\}/g)].map(String).sort(), key);
	});
});

describe("search", () => {
	test("it shows what the tool answers", async () => {
		const { structuredContent: truth } = await mcp("tools/call", { name: "search_products", arguments: { query: "lampe", limit: 12, locale: "en" } });
		assert.ok(truth.products.length > 0);
		await with_page("/", {}, async (page) => {
			await page.fill("#q", "lampe");
			await page.waitForFunction(() => document.getElementById("found").innerText.includes("lampe"));
			await comes_to(() => page.locator("#products h3").allInnerTexts(), truth.products.map((product) => product.name));
			await page.waitForURL((url) => url.search.includes("q=lampe"));
			assert.ok((await text_of(page, "#found")).includes(String(truth.total)));
			const card = page.locator("#products .card").first();
			assert.match(await card.locator(".price").innerText(), /€/);
			assert.match(await card.locator(".stock").innerText(), /In stock|left|Sold out/);
			assert.equal(await page.getAttribute("#found", "role"), "status");
		});
	});

	test("a product opened from a result is in the owner's report, with its place", async () => {
		const query = `lampe ${Date.now()}`;
		await with_page(`/?q=${encodeURIComponent(query)}`, {}, async (page) => {
			await page.waitForFunction(() => document.querySelectorAll("#products .card").length === 12);
			await page.click("#more");
			await page.waitForFunction(() => document.querySelectorAll("#products .card").length > 12);
			const told = page.waitForResponse((response) => response.url().endsWith("/api/ai/search/click"));
			await page.locator("#products .card button").nth(13).click();
			const answer = await told;
			assert.equal(answer.status(), 200);
			assert.equal(answer.request().postDataJSON().position, 14);
			await page.waitForSelector("#product h2");
		});
		/* Records are folded into the database a moment later. */
		const row = await until(() => JSON.parse(souk("search-report", "--json", "--top", "1000")).most.find((one) => one.query === query && one.clicks > 0), 200);
		assert.equal(row.clicks, 1);
		assert.equal(Number(row.place), 14);
	});

	test("a link with a query searches, Enter searches, nothing found is said", async () => {
		await with_page("/?q=lampe", {}, async (page) => {
			assert.equal(await page.inputValue("#q"), "lampe");
			await page.fill("#q", "zqxjkvwpyfgb");
			await page.press("#q", "Enter");
			await page.waitForFunction(() => document.getElementById("found").innerText.includes("zqxjkvwpyfgb"));
			await page.waitForFunction(() => /Nothing for/.test(document.getElementById("found").innerText) && document.querySelectorAll("#products .card").length === 0);
		});
	});

	test("a category narrows, more products come to the focus", async () => {
		await with_page("/", {}, async (page) => {
			const name = await page.locator("#categories button").nth(1).innerText();
			await page.locator("#categories button").nth(1).click();
			await page.waitForFunction((category) => document.getElementById("found").innerText.includes(category), name);
			assert.equal(await page.locator("#categories [aria-pressed=true]").count(), 1);
			await comes_to(() => page.locator("#products .card").count(), 12);
			await page.click("#more");
			await page.waitForFunction(() => document.querySelectorAll("#products .card").length > 12);
			await page.waitForFunction(() => document.querySelectorAll("#products .card")[12].contains(document.activeElement));
		});
	});

	test("a shop's text stays text", async () => {
		const page = await open(browser, "/?q=x");
		await page.route("**/mcp", async (route) => {
			const asked = route.request().postDataJSON();
			const evil = "<img src=x onerror=alert(1)><script>alert(2)</script>";
			const product = { id: "1", sku: evil, slug: "a", name: evil, currency: "EUR", price: 1, inStock: true, stock: 9, featured: false, ratingCount: 0, image: "javascript:alert(3)", brand: evil };
			await route.fulfill({ json: { jsonrpc: "2.0", id: asked.id, result: { content: [], structuredContent: { products: [product], total: 1, categories: [] }, tools: [] } } });
		});
		await page.reload();
		await page.locator("#products .card").first().waitFor();
		assert.match(await text_of(page, "#products h3"), /<img src=x onerror=alert\(1\)>/);
		assert.equal(await page.locator("#products script, #products img[src='x']").count(), 0);
		await page.locator("#products img[src$='no-picture.svg']").first().waitFor();
		assert.deepEqual(page.wrong, []);
		await page.context().close();
	});

	test("when the service does not answer, the page says so and goes on when it does", async () => {
		const page = await open(browser, "/");
		await page.locator("#products .card").first().waitFor();
		await page.route("**/mcp", (route) => route.abort("connectionrefused"));
		await page.fill("#q", "vase");
		await page.locator("#found .bad").waitFor();
		assert.match(await text_of(page, "#found"), /does not answer/);
		await page.unroute("**/mcp");
		await page.locator("#found button").click();
		await page.waitForFunction(() => document.getElementById("found").innerText.includes("“vase”"));
		await page.context().close();
	});
});

describe("a product", () => {
	test("opens by keyboard, closes with Escape, gives the focus back", async () => {
		await with_page("/?q=lampe", {}, async (page) => {
			const button = page.locator("#products h3 button").first();
			const name = await button.innerText();
			await button.focus();
			await page.keyboard.press("Enter");
			await page.locator("#product-sheet .description").waitFor();
			await comes_to(() => text_of(page, "#product-name"), name);
			await page.waitForURL(/#product\//);
			await comes_to(() => page.evaluate(() => document.activeElement.id), "product-name");
			await page.locator("#product-similar .mini").first().waitFor();
			for (let i = 0; i < 30; i++) {
				await page.keyboard.press("Tab");
				assert.ok(await page.evaluate(() => document.activeElement === document.body || document.getElementById("product").contains(document.activeElement)), "the focus left the dialog");
			}
			await page.keyboard.press("Escape");
			await page.locator("#product").waitFor({ state: "hidden" });
			await comes_to(() => page.evaluate(() => document.activeElement.innerText), name);
			/* The event that says so comes after the dialog has gone from the screen. */
			await page.waitForFunction(() => !location.hash.includes("product"));
		});
	});

	test("has an address of its own, and leads to its neighbours", async () => {
		const { structuredContent: { products: [first] } } = await mcp("tools/call", { name: "search_products", arguments: { limit: 1, locale: "en" } });
		await with_page(`/#product/${first.slug}`, {}, async (page) => {
			await page.locator("#product-sheet .description").waitFor();
			await comes_to(() => text_of(page, "#product-name"), first.name);
			const neighbour = page.locator("#product-similar .mini").first();
			const name = await neighbour.locator(".mini-name").innerText();
			await neighbour.click();
			await page.waitForFunction((wanted) => document.getElementById("product-name").innerText === wanted, name);
			await page.click("#product-close");
			await page.locator("#product").waitFor({ state: "hidden" });
		});
	});

	test("that does not exist is an answer, no failure", async () => {
		const page = await open(browser, "/#product/no-such-product-at-all");
		await page.locator("#product-sheet .bad").waitFor();
		assert.ok((await text_of(page, "#product-sheet .bad")).length > 10);
		await page.context().close();
	});
});

describe("connecting", () => {
	test("every example has the address of this shop, and is copied as it stands", async () => {
		await with_page("/", { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
			const url = `${souk_url()}/mcp`;
			for (const place of await page.locator("[data-path]").all())
				assert.equal(await place.textContent(), url);
			assert.equal(await page.locator("[role=tab]").count(), 6);
			await page.getByRole("tab", { name: "curl" }).click();
			await page.locator("#client-curl .copy").click();
			await comes_to(() => text_of(page, "#told"), "Copied");
			const copied = await page.evaluate(() => navigator.clipboard.readText());
			assert.ok(copied.startsWith(`curl ${url} \\\n`), copied);
			const link = new URL(await page.getAttribute("#cursor-link", "href"));
			assert.deepEqual(JSON.parse(atob(link.searchParams.get("config"))), { url });
			assert.deepEqual(JSON.parse(decodeURIComponent((await page.getAttribute("#vscode-link", "href")).split("?")[1])), { name: "souk", type: "http", url });
		});
	});

	test("the tabs follow the arrow keys", async () => {
		await with_page("/", {}, async (page) => {
			await page.getByRole("tab", { name: "Claude" }).focus();
			for (const [key, name] of [["ArrowRight", "ChatGPT"], ["End", "curl"], ["ArrowRight", "Claude"], ["ArrowLeft", "curl"], ["Home", "Claude"]]) {
				await page.keyboard.press(key);
				await comes_to(() => page.evaluate(() => document.activeElement.innerText), name);
				await comes_to(() => page.locator("[role=tabpanel]:visible").count(), 1);
				await comes_to(() => page.locator("[role=tab][tabindex='0']").count(), 1);
			}
		});
	});
});

describe("tools and routes", () => {
	test("the tools are those of tools/list, and can be tried", async () => {
		const { tools } = await mcp("tools/list");
		await with_page("/", {}, async (page) => {
			assert.deepEqual(await page.locator("#tools-list .fold-name").allInnerTexts(), tools.map((tool) => tool.name).sort());
			const fold = page.locator("#tools-list [data-tool=search_products]");
			await fold.locator("summary").click();
			await fold.locator(".field").first().waitFor(); // the form is made when the fold opens
			assert.equal(await fold.locator(".field").count(), Object.keys(tools.find((tool) => tool.name === "search_products").inputSchema.properties).length);
			await page.fill("#try-search_products-query", "vase");
			await page.fill("#try-search_products-limit", "2");
			await fold.getByRole("button", { name: "Run" }).click();
			await fold.locator(".answer pre").waitFor();
			const answer = JSON.parse(await fold.locator(".answer pre").innerText());
			assert.equal(answer.products.length, 2);
			await page.fill("#try-search_products-filters", "{");
			await fold.getByRole("button", { name: "Run" }).click();
			await fold.locator(".answer .bad").waitFor();
			assert.match(await fold.locator(".answer .bad").innerText(), /“filters” is not JSON/);
		});
	});

	test("the routes are those of openapi.json", async () => {
		const api = await (await fetch(`${souk_url()}/openapi.json`)).json();
		const truth = Object.entries(api.paths).flatMap(([path, item]) => ["get", "post", "put", "patch", "delete"].filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${path}`));
		await with_page("/", {}, async (page) => {
			const shown = await page.locator("#routes-list .fold").evaluateAll((folds) => folds.map((fold) => `${fold.querySelector(".method").innerText} ${fold.querySelector(".fold-name").innerText}`));
			assert.deepEqual(shown.toSorted(), truth.sort());
			const paths = shown.map((line) => line.split(" ")[1]);
			assert.deepEqual(paths, paths.toSorted());
		});
	});
});

describe("state", () => {
	test("a wrong token is refused in words, a right one shows the figures and is kept nowhere", async () => {
		const token = setting("SOUK_MONITOR_TOKEN");
		const page = await open_filled(browser);
		await page.fill("#token", "mcp_key_wrong");
		await page.press("#token", "Enter");
		await page.locator("#token-said .bad").waitFor();
		assert.match(await text_of(page, "#token-said"), /not known/);
		await page.locator("#figures").waitFor({ state: "hidden" });
		page.wrong = page.wrong.filter((text) => !text.includes("401"));
		await page.fill("#token", token);
		await page.click("#token-form button[type=submit]");
		await page.locator("#figures .gauge").first().waitFor();
		await comes_to(() => page.locator("#figures .gauge").count(), 3);
		assert.match(await page.getAttribute("#figures .gauge svg >> nth=0", "aria-label"), /^Memory: (\d+ %|not known)$/);
		assert.match(await text_of(page, "#figures .tiles"), /Version\s+\d+\.\d+/);
		const traces = await page.evaluate(() => JSON.stringify([location.href, { ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML, document.getElementById("token").value]));
		assert.ok(!traces.includes(token));
		await page.click("#token-forget");
		await page.locator("#figures").waitFor({ state: "hidden" });
		await comes_to(() => text_of(page, "#token-said"), "The token is forgotten.");
		await page.reload();
		await page.locator("#checks .tile").first().waitFor();
		assert.ok(await page.locator("#figures").isHidden());
		assert.deepEqual(page.wrong, []);
		await page.context().close();
	});

	test("when the service is gone the page says so", async () => {
		const page = await open(browser, "/");
		await page.locator("#now.ready").waitFor();
		await page.route("**/readyz", (route) => route.abort("connectionrefused"));
		await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
		await page.locator("#now.gone").waitFor();
		await comes_to(() => text_of(page, "#state-said"), "Not answering");
		await page.context().close();
	});
});

/* Everything that can be open, open. */
async function unfold(page) {
	await page.locator("#tools-list summary").first().click();
	await page.locator("#routes-list summary").first().click();
	await page.fill("#token", setting("SOUK_MONITOR_TOKEN"));
	await page.click("#token-form button[type=submit]");
	await page.locator("#figures .gauge").first().waitFor();
}

describe("everyone can use it", () => {
	for (const width of [320, 360, 640, 768, 1024, 1440])
		test(`nothing is wider than a window of ${width} px`, async () => {
			await with_page("/?lang=fr", { width, height: 740 }, async (page) => {
				await unfold(page);
				const wide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
				assert.ok(await wide() <= 0, `${await wide()} px too wide`);
				for (const tab of await page.locator("[role=tab]").all()) {
					await tab.click();
					assert.ok(await wide() <= 0, await tab.innerText());
				}
				await page.locator("#products h3 button").first().click();
				await page.locator("#product-sheet .description").waitFor();
				assert.ok(await page.evaluate(() => {
					const sheet = document.getElementById("product-sheet");
					return sheet.scrollWidth <= sheet.clientWidth && document.getElementById("product").getBoundingClientRect().right <= innerWidth;
				}));
			});
		});

	test("at 200 % zoom nothing is lost", async () => {
		await with_page("/", { width: 640, height: 450, deviceScaleFactor: 2 }, async (page) => {
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
			for (const link of await page.locator("nav a").all())
				assert.ok(await link.isVisible());
		});
	});

	test("the keyboard reaches everything, and always shows where it is", async () => {
		await with_page("/", {}, async (page) => {
			await page.keyboard.press("Tab");
			assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
			await page.keyboard.press("Enter");
			await comes_to(() => page.evaluate(() => document.activeElement.id), "main");
			const seen = new Set();
			for (let i = 0; i < 400; i++) {	/* as far as it goes: tools and routes become more */
				await page.keyboard.press("Tab");
				const now = await page.evaluate(() => {
					const node = document.activeElement;
					if (node === document.body)
						return null;
					const box = node.getBoundingClientRect();
					const ring = [null, "::after"].some((part) => {
						const style = getComputedStyle(node, part);
						return style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
					});
					return { name: node.id || node.innerText || node.tagName, ring, on_screen: box.width > 0 && box.bottom > 0 && box.top < innerHeight };
				});
				if (!now)
					break;
				assert.ok(now.ring, `no visible focus on ${now.name}`);
				assert.ok(now.on_screen, `${now.name} is focused off the screen`);
				seen.add(now.name);
			}
			for (const name of ["q", "token", "more"])
				assert.ok(seen.has(name), `${name} is not reached`);
		});
	});

	test("who asked for less motion gets none", async () => {
		await with_page("/", { reducedMotion: "reduce" }, async (page) => {
			const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((node) => Number.parseFloat(getComputedStyle(node).transitionDuration) > 0).length);
			assert.equal(moving, 0);
		});
	});

	for (const lang of ["en", "fr"])
		for (const colorScheme of ["light", "dark"])
			for (const width of [360, 1280])
				test(`axe finds nothing: ${lang}, ${colorScheme}, ${width} px`, async () => {
					await with_page(`/?lang=${lang}`, { colorScheme, width, height: 800, bypassCSP: true, reducedMotion: "reduce" }, async (page) => {
						await page.addScriptTag({ path: axe_path });
						const find = async (what) => {
							const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
							assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`), []);
						};
						await find("page");
						await unfold(page);
						await find("unfolded");
						await page.locator("#products h3 button").first().click();
						await page.locator("#product-similar .mini").first().waitFor();
						await find("product");
					});
				});
});
