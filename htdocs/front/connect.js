/* How to connect: the real address in every example, tabs, copy buttons, links for editors. */

import { address } from "../lib/api.js";
import { at, h, put } from "../lib/dom.js";
import { on_language, t } from "../lib/i18n.js";

function fill_addresses() {
	for (const node of document.querySelectorAll("[data-path]"))
		node.textContent = address(node.dataset.path);
	const url = address("/mcp");
	at("cursor-link").href = `cursor://anysphere.cursor-deeplink/mcp/install?name=souk&config=${encodeURIComponent(btoa(JSON.stringify({ url })))}`;
	at("vscode-link").href = `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name: "souk", type: "http", url }))}`;
}

function warn() {
	const note = at("connect-note");
	const local = /^(localhost|127\.|\[::1\]|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(location.hostname);
	note.hidden = !local && location.protocol === "https:";
	note.textContent = note.hidden ? "" : t(local ? "connect.local" : "connect.plain");
}

async function copy(button) {
	const source = at(button.dataset.copy);
	try {
		await navigator.clipboard.writeText(source.textContent);
		button.textContent = t("copy.done");
	} catch {
		/* No clipboard without https or permission: select it, so that the keyboard can. */
		getSelection().selectAllChildren(source);
		button.textContent = t("copy.failed");
	}
	put(at("told"), button.textContent);
	setTimeout(() => { button.textContent = t("copy"); }, 2500);
}

/* The clients, one below the other without a script, become tabs: arrows, Home and End move between them. */
function make_tabs(box) {
	const panels = [...box.children];
	const tabs = panels.map((panel, i) => {
		const name = panel.querySelector("h3");
		name.classList.add("unseen");
		panel.setAttribute("role", "tabpanel");
		panel.setAttribute("aria-labelledby", `${panel.id}-tab`);
		return h("button", { type: "button", role: "tab", id: `${panel.id}-tab`, "aria-controls": panel.id, on: { click: () => select(i) } }, name.textContent);
	});
	function select(chosen) {
		tabs.forEach((tab, i) => {
			tab.setAttribute("aria-selected", String(i === chosen));
			tab.tabIndex = i === chosen ? 0 : -1;
			panels[i].hidden = i !== chosen;
		});
	}
	const list = h("div", { role: "tablist", class: "tablist", "aria-labelledby": "connect-title", on: { keydown: (event) => {
		const now = tabs.indexOf(document.activeElement);
		const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
		if (now < 0 || next === undefined)
			return;
		event.preventDefault();
		select((next + tabs.length) % tabs.length);
		tabs[(next + tabs.length) % tabs.length].focus();
	} } }, tabs);
	box.prepend(list);
	select(0);
}

export function start_connect() {
	fill_addresses();
	make_tabs(at("clients"));
	for (const button of document.querySelectorAll("button[data-copy]"))
		button.addEventListener("click", () => copy(button));
	on_language(warn);
	warn();
}
