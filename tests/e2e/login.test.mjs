/* The log-in pages in Chromium: without script, on a phone, in both languages, for those who cannot see them. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { comes_to, launch, PATIENCE_MS, setting, souk_url } from "./support.mjs";

const axe_path = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const password = "correct horse battery";
const email = `e2e-${randomBytes(4).toString("hex")}@shop.example`;
let browser, secret, recovery;

const souk = (args, input) => execFileSync(setting("SOUK_BIN"), args, { input, encoding: "utf8", env: { ...process.env, SOUK_CONF: setting("SOUK_CONF") } });

/* RFC 6238, as an authenticator app. */
function totp() {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const bits = [...secret].map((digit) => alphabet.indexOf(digit).toString(2).padStart(5, "0")).join("");
	const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
	const step = Buffer.alloc(8);
	step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
	const mac = createHmac("sha1", key).update(step).digest();
	return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, "0");
}

before(async () => {
	souk(["staff", "add", email, "--name", "Ada Byron", "--role", "viewer"], `${password}\n`);
	const told = souk(["staff", "totp", email]).split("\n");
	secret = /secret=([A-Z2-7]+)/.exec(told[0])[1];
	recovery = told.slice(2).filter(Boolean);
	browser = await launch();
});

after(() => browser?.close());

async function open(path, options = {}) {
	const context = await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 844 }, ...options });
	context.setDefaultTimeout(PATIENCE_MS);
	const page = await context.newPage();
	page.wrong = [];
	page.on("console", (message) => ["error", "warning"].includes(message.type()) && !/401/.test(message.text()) && page.wrong.push(message.text()));
	page.on("pageerror", (error) => page.wrong.push(error.stack));
	await page.goto(souk_url() + path);
	return page;
}

async function shot(page, name) {
	if (process.env.SCREENSHOTS)
		await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: true });
}

test("a person of the shop logs in and out without any script", async () => {
	const page = await open("/login?next=/login", { javaScriptEnabled: false });
	await page.getByRole("link", { name: "You work for this shop?" }).click();
	await page.getByLabel("Password").waitFor();	/* the page before has a field for the address, too */
	await page.getByLabel("E-mail address").fill(email);
	await page.getByLabel("Password").fill("not the password");
	await page.getByRole("button", { name: "Sign in" }).click();
	await comes_to(() => page.getByRole("alert").innerText(), "E-mail address or password are not right.");
	await page.getByLabel("E-mail address").fill(email);
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.getByLabel("Code").fill(totp());
	await page.getByRole("button", { name: "Sign in" }).click();
	await comes_to(() => page.getByRole("heading", { level: 1 }).innerText(), "You are signed in");
	await comes_to(() => page.locator("main strong").innerText(), "Ada Byron");
	const [cookie] = (await page.context().cookies()).filter(({ name }) => name === "souk");
	assert.ok(cookie.httpOnly && cookie.sameSite === "Lax" && cookie.expires === -1, "a cookie of this session, out of reach of scripts");
	await page.getByRole("button", { name: "Sign out" }).click();
	await comes_to(() => page.getByRole("heading", { level: 1 }).innerText(), "Sign in");
	assert.deepEqual(page.wrong, []);
	await page.context().close();
});

/* The pages one after the other, each looked at by axe once what it alone has is there. */
async function tour(page, look) {
	await look("email", "input[name=email]");
	await page.locator("input[name=email]").fill("nobody@example.org");
	await page.locator("button.main").click();
	await look("code", "input[name=code]");
	await page.locator("input[name=code]").fill("123456");
	await page.locator("button.main").click();
	await look("code-wrong", "[role=alert]");
	await page.goto(`${souk_url()}/login/staff`);
	await look("staff", "input[name=password]");
	await page.locator("input[name=email]").fill(email);
	await page.locator("input[name=password]").fill(password);
	await page.locator("button.main").click();
	await look("second", "input[name=code]");
	await page.locator("input[name=code]").fill(recovery.pop());
	await page.locator("button.main").click();
	await look("signed-in", "main strong");
}

for (const [locale, width, colorScheme] of [["en-GB", 1280, "light"], ["fr-FR", 320, "dark"]])
	test(`the pages are usable by everybody: ${locale}, ${width} px, ${colorScheme}`, async () => {
		/* axe is a foreign script, which our policy would refuse. */
		const page = await open("/login", { locale, colorScheme, bypassCSP: true, reducedMotion: "reduce", viewport: { width, height: 844 } });
		const seen = [];
		await tour(page, async (name, mark) => {
			await page.locator(mark).first().waitFor();
			await page.waitForLoadState();
			seen.push(name);
			await shot(page, `login-${name}-${locale}-${width}`);
			assert.equal(await page.locator("html").getAttribute("lang"), locale.slice(0, 2));
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: the page is wider than the window`);
			for (const box of await page.locator("button, input:not([type=hidden])").all())
				assert.ok((await box.boundingBox()).height >= 44, `${name}: too small for a finger`);
			await page.addScriptTag({ path: axe_path });
			const { violations } = await page.evaluate(() => axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
			assert.deepEqual(violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes[0].html}`), []);
		});
		assert.deepEqual(seen, ["email", "code", "code-wrong", "staff", "second", "signed-in"]);
		await page.context().close();
	});
