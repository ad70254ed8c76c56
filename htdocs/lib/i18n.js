/*
 * Two languages. The page is English before any script runs, and carries its French beside it: data-fr for an element's
 * text, data-fr-label for its aria-label, data-fr-placeholder for its placeholder. en.js and fr.js have the words that only
 * a script says; the one that is wanted is loaded.
 * The language comes from ?lang=, else from what the visitor chose before, else from the browser.
 */

const STORE = "souk.lang";
const spoken = ["en", "fr"];

/* The places of the page that have French: how to say something there, and what, in each language. */
const places = [];
let lang = "en";
let texts = {};
const heard = [];

function wanted() {
	const asked = new URLSearchParams(location.search).get("lang");
	if (spoken.includes(asked))
		return asked;
	try {
		const kept = localStorage.getItem(STORE);
		if (spoken.includes(kept))
			return kept;
	} catch {
		/* Storage is refused to this page: the browser's languages decide. */
	}
	for (const tag of navigator.languages ?? [])
		if (spoken.includes(tag.slice(0, 2).toLowerCase()))
			return tag.slice(0, 2).toLowerCase();
	return "en";
}

/* The text of a key, {name} filled from values; of a key nobody knows, otherwise. */
export function t(key, values = {}, otherwise = key) {
	return (texts[key] ?? otherwise).replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

export function language() {
	return lang;
}

/* f is called after each change of language. */
export function on_language(f) {
	heard.push(f);
}

function find_places() {
	for (const node of document.querySelectorAll("[data-fr]"))
		places.push({ say: (text) => { node.textContent = text; }, en: node.textContent, fr: node.dataset.fr });
	for (const [name, attribute] of [["label", "aria-label"], ["placeholder", "placeholder"]])
		for (const node of document.querySelectorAll(`[data-fr-${name}]`))
			places.push({ say: (text) => node.setAttribute(attribute, text), en: node.getAttribute(attribute), fr: node.getAttribute(`data-fr-${name}`) });
}

async function speak(next) {
	texts = (await import(next === "fr" ? "./fr.js" : "./en.js")).default;
	lang = next;
	document.documentElement.lang = next;
	for (const place of places)
		place.say(place[next]);
	for (const f of heard)
		f();
}

/* Chooses a language for good: kept for the next visit, and ?lang= no longer stands against it. */
export async function choose(next) {
	try {
		localStorage.setItem(STORE, next);
	} catch {
		/* It holds for this visit. */
	}
	const url = new URL(location.href);
	if (url.searchParams.has("lang")) {
		url.searchParams.delete("lang");
		history.replaceState(history.state, "", url);
	}
	await speak(next);
}

export async function begin() {
	find_places();
	await speak(wanted());
}

export function number(n, options) {
	return new Intl.NumberFormat(lang, options).format(n);
}

export function money(amount, currency) {
	try {
		return new Intl.NumberFormat(lang === "en" ? "en-GB" : "fr-FR", { style: "currency", currency }).format(amount);
	} catch {
		return `${number(amount)} ${currency}`;
	}
}

export function clock_time(date) {
	return new Intl.DateTimeFormat(lang, { timeStyle: "medium" }).format(date);
}

export function date_time(text) {
	const date = new Date(text);
	return Number.isNaN(date.getTime()) ? text : new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" }).format(date);
}

/* 93784 -> "1 d 2 h": the two largest units. */
export function duration(seconds) {
	const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
	const parts = [];
	let rest = Math.max(0, Math.floor(seconds));
	for (const [unit, size] of units) {
		const n = Math.floor(rest / size);
		rest -= n * size;
		if (n > 0 || (unit === "second" && parts.length === 0))
			parts.push(number(n, { style: "unit", unit, unitDisplay: "short" }));
	}
	return parts.slice(0, 2).join(" ");
}

export function bytes(n) {
	return n < 1000 ? number(n, { style: "unit", unit: "byte" }) : number(n / 1000, { style: "unit", unit: "kilobyte", maximumFractionDigits: 1 });
}

/* What a person is told of an ApiError. */
export function explain(error) {
	if (["network", "timeout", "form"].includes(error.code))
		return t(`error.${error.code}`);
	if (error.status === 429)
		return t("error.limit", { n: error.retry_s ?? 60 });
	if (error.status === 401)
		return t("error.token");
	if (error.status === 403)
		return t("error.scope");
	return t("error.said", { text: error.message });
}
