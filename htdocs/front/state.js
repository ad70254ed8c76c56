/* The state: what anyone may see (/readyz), and with a token the figures of /api/mcp/status. */

import { get_json, has_token, known, use_token } from "../lib/api.js";
import { at, h, put, svg } from "../lib/dom.js";
import { clock_time, date_time, duration, explain, number, on_language, t } from "../lib/i18n.js";

const EVERY_MS = 30000;

/* The last answers, kept so that another language can say them again. */
let ready = null;
let seen = null;
let said = "";
let status = null;
let refused = null;

function put_said(text) {
	/* A live region that says the same again would be read out every half minute. */
	if (said !== text)
		put(at("state-said"), text);
	said = text;
}

/* ---------- for anyone ---------- */

function tile(name, check) {
	const known = t(`state.check.${name}`);
	const fine = check === true || check === "ok" || check?.ok === true;
	const words = [t(fine ? "state.ok" : "state.bad")];
	if (typeof check?.latency_ms === "number")
		words.push(t("unit.ms", { n: number(check.latency_ms, { maximumFractionDigits: 1 }) }));
	return h("div", { class: `tile ${fine ? "fine" : ready.status === "ready" ? "lame" : "failing"}` }, h("dt", {}, known.startsWith("state.check.") ? name : known),
		h("dd", {}, words.join(", "), check?.reason && h("span", { class: "reason", lang: "en" }, check.reason)));
}

function show_ready() {
	const state = !ready ? "gone" : ready.status === "ready" ? "ready" : "notready";
	at("now").className = `pill ${state}`;
	put(at("now-text"), t(`state.${state}`));
	put_said(t(`state.${state}`));
	at("state-said").className = `verdict ${state}`;
	put(at("checks"), Object.entries(ready?.checks ?? {}).map(([name, check]) => tile(name, check)));
	at("checks").title = seen ? t("state.looked", { time: clock_time(seen) }) : "";
}

async function look() {
	try {
		ready = (await get_json("/readyz", { timeout_ms: 6000, also: [503] })).body;
	} catch (error) {
		known(error);
		ready = null;
	}
	seen = new Date();
	show_ready();
}

/* ---------- with a token ---------- */

/* A three-quarter ring of n per cent. */
function gauge(name, text) {
	const n = Number.parseInt(text ?? "", 10);
	const whole = 75;
	const label = Number.isNaN(n) ? `${name}: ${t("state.unknown")}` : t("state.gauge", { name, n: number(n) });
	const ring = (extra, length) => svg("circle", { ...extra, cx: 50, cy: 50, r: 42, fill: "none", "stroke-width": 9, "stroke-linecap": "round", pathLength: 100, "stroke-dasharray": `${length} 100`, transform: "rotate(135 50 50)" });
	return h("li", { class: "gauge" },
		svg("svg", { viewBox: "0 0 100 92", role: "img", "aria-label": label },
			ring({ class: "ring" }, whole),
			n > 0 && ring({ class: n >= 95 ? "level full" : n >= 80 ? "level high" : "level" }, Math.min(n, 100) * whole / 100),
			svg("text", { x: 50, y: 56, "text-anchor": "middle", class: "figure" }, Number.isNaN(n) ? "?" : `${number(n)}\u202f%`)),
		h("span", { "aria-hidden": "true" }, name));
}

function figure(name, value) {
	return h("div", { class: "tile" }, h("dt", {}, name), h("dd", {}, value));
}

function tests_of({ total, passed, last_run: when } = {}) {
	return when ? t("state.tests.figures", { p: number(passed), t: number(total), time: date_time(when) }) : t("state.tests.none");
}

function show_figures() {
	at("figures").hidden = !status;
	at("token-forget").hidden = !has_token();
	if (refused)
		put(at("token-said"), h("span", { class: "bad" }, explain(refused)), refused.request_id && ` ${t("error.id", { id: refused.request_id })}`);
	if (!status)
		return;
	const { system, database, tests, resources } = status;
	put(at("figures"),
		h("ul", { class: "gauges" }, gauge(t("state.memory"), resources?.memory_usage), gauge(t("state.cpu"), resources?.cpu_usage), gauge(t("state.disk"), resources?.disk_usage)),
		h("dl", { class: "tiles" },
			figure(t("state.overall"), t(`state.${system.status}`)),
			figure(t("state.version"), system.version),
			figure(t("state.uptime"), duration(system.uptime)),
			figure(t("state.environment"), system.environment),
			figure(t("state.database"), database.connected ? t("state.connected", { ms: number(database.latency, { maximumFractionDigits: 2 }) }) : t("state.disconnected")),
			figure(t("state.tests"), tests_of(tests))));
}

async function read_figures() {
	try {
		status = (await get_json("/api/mcp/status", { secret: true, also: [503] })).body;
		refused = null;
		put(at("token-said"));
	} catch (error) {
		known(error);
		status = null;
		refused = error;
	}
	show_figures();
}

async function take_token(event) {
	event.preventDefault();
	const input = at("token");
	const text = input.value.trim();
	if (text === "") {
		input.focus();
		return;
	}
	use_token(text);
	input.value = "";
	put(at("token-said"), t("state.reading"));
	await read_figures();
	if (refused?.status === 401)
		use_token("");
	show_figures();
	document.dispatchEvent(new Event("souk:token"));
}

function forget_token() {
	use_token("");
	status = null;
	refused = null;
	show_figures();
	put(at("token-said"), t("state.forgotten"));
	at("token").focus();
	document.dispatchEvent(new Event("souk:token"));
}

export function start_state() {
	at("token-form").addEventListener("submit", take_token);
	at("token-forget").addEventListener("click", forget_token);
	on_language(() => {
		show_ready();
		show_figures();
	});
	const again = () => {
		if (document.hidden)
			return;
		look();
		if (status)
			read_figures();
	};
	setInterval(again, EVERY_MS);
	document.addEventListener("visibilitychange", again);
	look();
}
