/*
 * A person with a browser that has no window: cookies, links and forms. Logs in on the service's own pages and answers the question that an
 * assistant's log-in leads to, as people do. Needs the command line (SOUK_BIN, SOUK_CONF) for making a person of the shop.
 */

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

const unescape = (text) => text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name]);

export class Person {
	constructor(base, language = "en") {
		this.base = base;
		this.language = language;
		this.cookies = new Map();
	}

	/* Follows redirects within the service. -> {status, url, text}, or {status, away: URL} when one leads elsewhere. */
	async go(url, form) {
		let target = new URL(url, this.base);
		for (let hops = 0; hops < 10; hops++) {
			const response = await fetch(target, {
				method: form ? "POST" : "GET",
				body: form && new URLSearchParams(form).toString(),
				redirect: "manual",
				headers: {
					Accept: "text/html", "Accept-Language": this.language,
					Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
					...(form && { "Content-Type": "application/x-www-form-urlencoded", Origin: new URL(this.base).origin, "Sec-Fetch-Site": "same-origin" }),
				},
			});
			for (const line of response.headers.getSetCookie()) {
				const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
				if (/max-age=0/i.test(line))
					this.cookies.delete(name);
				else
					this.cookies.set(name, value);
			}
			const location = response.headers.get("location");
			const text = await response.text();
			if (!location)
				return { status: response.status, url: target.href, text };
			target = new URL(location, target);
			form = undefined;
			if (target.origin !== new URL(this.base).origin)
				return { status: response.status, away: target.href };
		}
		throw new Error(`too many redirects from ${url}`);
	}

	/* Send the one form of a page with its hidden fields. */
	submit(page, values) {
		const form = /<form [^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(page.text);
		if (!form)
			throw new Error(`no form on ${page.url} (${page.status}): ${page.text.slice(0, 500)}`);
		const hidden = [...form[2].matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, unescape(value)]);
		return this.go(unescape(form[1]), { ...Object.fromEntries(hidden), ...values });
	}

	/* What people do with the address that an assistant opens: log in where they are asked, then allow. -> the address that the assistant gets. */
	async allow(url, { email, password }, decision = "allow") {
		let page = await this.go(url);
		if (page.url && new URL(page.url).pathname === "/login") {
			const link = /href="(\/login\/staff[^"]*)"/.exec(page.text);
			page = await this.go(unescape(link[1]));
			page = await this.submit(page, { email, password });
		}
		if (page.away)
			return page.away;
		this.question = page;
		const answer = await this.submit(page, { decision });
		if (!answer.away)
			throw new Error(`the answer led nowhere: ${answer.status} ${answer.text.slice(0, 500)}`);
		return answer.away;
	}
}

/* A new person of the shop. */
export function make_staff(role = "viewer", env = process.env) {
	const who = { email: `${randomBytes(6).toString("hex")}@shop.example`, password: randomBytes(12).toString("hex") };
	execFileSync(env.SOUK_BIN, ["staff", "add", who.email, "--name", "Odile Martin", "--role", role],
		{ input: `${who.password}\n`, encoding: "utf8", env: { PATH: process.env.PATH, SOUK_CONF: env.SOUK_CONF } });
	return who;
}
