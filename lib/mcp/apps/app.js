/*
* The view's side of MCP Apps, protocol 2026-01-26: JSON-RPC by postMessage with the page that holds us, and with nobody else.
* A view sets app.texts {language: {key: text}} and app.show(result), then calls app.start(name).
*/
"use strict";
const app = {
	base: document.querySelector('meta[name="shop"]').content,
	context: {}, host: {}, texts: {}, last: null, input: {}, waiting: new Map(), number: 0,

	/* A text of the view, with {name} filled in. */
	text(key, values = {}) {
		const texts = { ...app.texts.en, ...(app.texts[app.language()] ?? {}) };
		return (texts[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
	},
	locale() { return app.context.locale || navigator.language || "en"; },
	language() { return app.locale().slice(0, 2).toLowerCase(); },
	money(amount, currency) {
		try {
			return new Intl.NumberFormat(app.locale(), { style: "currency", currency }).format(amount);
		} catch {
			return `${amount} ${currency ?? ""}`;
		}
	},
	date(text) {
		const date = new Date(text);
		return Number.isNaN(date.getTime()) ? String(text) : new Intl.DateTimeFormat(app.locale(), { dateStyle: "medium" }).format(date);
	},
	/* An address of the shop: only its own pictures may load. */
	url(path) {
		if (!path || !app.base)
			return path && path.startsWith("data:image/") ? path : null;
		try {
			const url = new URL(path, `${app.base}/`);
			return url.origin === new URL(app.base).origin ? url.href : null;
		} catch {
			return null;
		}
	},
	/* An element: make("p", {class: "dim"}, "text", child, ...). Text is never markup. */
	make(name, attributes = {}, ...children) {
		const element = document.createElement(name);
		for (const [key, value] of Object.entries(attributes)) {
			if (key === "onclick")
				element.addEventListener("click", value);
			else if (value !== null && value !== undefined && value !== false)
				element.setAttribute(key, value);
		}
		element.append(...children.filter((child) => child !== null && child !== undefined));
		return element;
	},
	/* Replace what is shown; keyboard users keep their place where it still exists. */
	put(...children) {
		const focus = document.activeElement?.id;
		document.querySelector("main").replaceChildren(...children.filter((child) => child !== null && child !== undefined));
		if (focus)
			document.getElementById(focus)?.focus();
	},
	say(text) { document.querySelector("[role=status]").textContent = text; },

	send(message) { window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*"); },
	tell(method, params = {}) { app.send({ method, params }); },
	ask(method, params = {}) {
		const id = ++app.number;
		app.send({ id, method, params });
		return new Promise((resolve, reject) => app.waiting.set(id, { resolve, reject }));
	},
	/* A tool of the shop, by way of the host; null when it is refused. */
	async call(name, args) {
		if (!app.host.serverTools)
			return null;
		try {
			const result = await app.ask("tools/call", { name, arguments: args });
			return result.isError ? null : result;
		} catch {
			return null;
		}
	},
	/* Words that the user says to the assistant by pressing a button. */
	async speak(text) {
		try {
			await app.ask("ui/message", { role: "user", content: [{ type: "text", text }] });
		} catch {
			app.say(app.text("failed"));
		}
	},
	data(result) {
		if (result?.structuredContent)
			return result.structuredContent;
		try {
			return JSON.parse(result.content.find(({ type }) => type === "text").text);
		} catch {
			return null;
		}
	},
	apply(context) {
		Object.assign(app.context, context);
		const root = document.documentElement;
		if (app.context.theme)
			root.dataset.theme = app.context.theme;
		root.lang = app.texts[app.language()] ? app.language() : "en";
		for (const [name, value] of Object.entries(app.context.styles?.variables ?? {}))
			if (name.startsWith("--") && value)
				root.style.setProperty(name, value);
		if (app.last)
			app.show(app.last);
		else
			app.put(app.make("p", { class: "dim" }, app.text("waiting")));
	},
	received(result) {
		const data = result.isError ? null : app.data(result);
		app.last = data;
		if (data)
			app.show(data);
		else
			app.put(app.make("p", { class: "bad" }, result.content?.find(({ type }) => type === "text")?.text ?? app.text("failed")));
	},
	handle(message) {
		const { id, method, params = {} } = message;
		if (method === undefined) {
			const waiting = app.waiting.get(id);
			app.waiting.delete(id);
			if (message.error)
				waiting?.reject(message.error);
			else
				waiting?.resolve(message.result);
			return;
		}
		if (method === "ui/notifications/tool-result")
			app.received(params);
		else if (method === "ui/notifications/tool-input")
			app.input = params.arguments ?? {};
		else if (method === "ui/notifications/tool-cancelled")
			app.put(app.make("p", { class: "dim" }, app.text("cancelled")));
		else if (method === "ui/notifications/host-context-changed")
			app.apply(params);
		if (id !== undefined)
			app.send(method === "ui/resource-teardown" || method === "ping" ? { id, result: {} } : { id, error: { code: -32601, message: "Method not found" } });
	},
	async start(name) {
		window.addEventListener("message", (event) => {
			if (event.source === window.parent && event.data?.jsonrpc === "2.0")
				app.handle(event.data);
		});
		for (const texts of [["en", { waiting: "One moment…", failed: "That did not work. Please try again.", cancelled: "Cancelled." }],
			["fr", { waiting: "Un instant…", failed: "Cela n'a pas fonctionné. Veuillez réessayer.", cancelled: "Annulé." }]])
			app.texts[texts[0]] = { ...texts[1], ...app.texts[texts[0]] };
		const answer = await app.ask("ui/initialize", { appInfo: { name, version: "1.0.0" }, appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] }, protocolVersion: "2026-01-26" });
		app.host = answer.hostCapabilities ?? {};
		app.apply(answer.hostContext ?? {});
		app.tell("ui/notifications/initialized");
		new ResizeObserver(() => {
			const { width, height } = document.documentElement.getBoundingClientRect();
			app.tell("ui/notifications/size-changed", { width: Math.ceil(width), height: Math.ceil(height) });
		}).observe(document.documentElement);
	},
};
