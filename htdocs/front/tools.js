/* The tools, from tools/list of the running service: what each does, what it takes, and a form to try it. */

import { ApiError, call_tool, has_token, known, list_tools } from "../lib/api.js";
import { after_pause, at, h, put } from "../lib/dom.js";
import { bytes, explain, number, on_language, t } from "../lib/i18n.js";

let tools = [];
let failure = null;

/* As the protocol has it: a tool that says nothing of itself may change what is there. */
function kind_of(tool) {
	if (tool.annotations?.readOnlyHint)
		return "reads";
	return tool.annotations?.destructiveHint === false ? "adds" : "changes";
}

function type_of(schema) {
	return [schema.type].flat().filter((type) => type !== "null").join("|") || "any";
}

/* ---------- the form ---------- */

function control_of(id, schema, required) {
	const common = { id, required, "aria-describedby": `${id}-hint` };
	const options = schema.enum ?? (schema.type === "boolean" ? [true, false] : null);
	if (options)
		return h("select", common, !required && h("option", { value: "" }, t("tools.unset")),
			options.map((value) => h("option", { value: JSON.stringify(value) }, typeof value === "boolean" ? t(value ? "tools.yes" : "tools.no") : String(value))));
	if (schema.type === "integer" || schema.type === "number")
		return h("input", { ...common, type: "number", min: schema.minimum, max: schema.maximum, step: schema.type === "integer" ? 1 : "any", inputmode: "decimal" });
	if (schema.type === "object" || (schema.type === "array" && schema.items?.type !== "string"))
		return h("textarea", { ...common, rows: 3, spellcheck: "false" });
	return h("input", { ...common, type: "text", maxlength: schema.maxLength, autocomplete: "off", spellcheck: "false" });
}

/* The argument that a control holds; undefined when it is left empty. */
function value_of(control, schema, name) {
	const text = control.value;
	if (text === "")
		return undefined;
	if (control.tagName === "SELECT")
		return JSON.parse(text);
	if (control.type === "number")
		return Number(text);
	if (control.tagName === "TEXTAREA") {
		try {
			return JSON.parse(text);
		} catch {
			throw new ApiError(t("tools.badjson", { name }), { code: "argument" });
		}
	}
	return schema.type === "array" ? text.split(",").map((part) => part.trim()).filter((part) => part !== "") : text;
}

/* What is to be put into a field: the contract's words, which are English, then ours. The limits are the control's own. */
function hint_of(schema) {
	const form = schema.type === "array" && schema.items?.type === "string" ? t("tools.list") : schema.type === "object" || schema.type === "array" ? t("tools.json") : null;
	const ours = [form, schema.default !== undefined && t("tools.default", { v: JSON.stringify(schema.default) })].filter((text) => text);
	return [h("span", { lang: "en" }, schema.description), ours.length > 0 && ` (${ours.join(", ")})`];
}

async function run(tool, fields, place) {
	const began = performance.now();
	try {
		const args = {};
		for (const { name, schema, control } of fields) {
			const value = value_of(control, schema, name);
			if (value !== undefined)
				args[name] = value;
		}
		const result = await call_tool(tool.name, args);
		const text = JSON.stringify(result, null, 2);
		put(place, h("p", { class: "said" }, `${t("tools.answer")}: ${t("tools.took", { ms: number(Math.round(performance.now() - began)), size: bytes(new Blob([JSON.stringify(result)]).size) })}`),
			h("pre", { tabindex: "0", "aria-label": t("tools.answer"), role: "region" }, h("code", {}, text)));
	} catch (error) {
		known(error);
		put(place, h("p", { class: "bad" }, error.code === "argument" ? error.message : explain(error)),
			error.request_id && h("p", { class: "said" }, t("error.id", { id: error.request_id })));
	}
}

function form_of(tool) {
	const schema = tool.inputSchema ?? {};
	const fields = Object.entries(schema.properties ?? {}).map(([name, member]) => {
		const required = schema.required?.includes(name) ?? false;
		return { name, schema: member, required, control: control_of(`try-${tool.name}-${name}`, member, required) };
	});
	const place = h("div", { class: "answer", role: "status" });
	const button = h("button", { type: "submit", class: "main" }, t(kind_of(tool) === "reads" ? "tools.run" : "tools.run.write"));
	return h("form", { class: "try", on: { submit: async (event) => {
		event.preventDefault();
		button.disabled = true;
		await run(tool, fields, place);
		button.disabled = false;
	} } },
	h("h3", {}, t("tools.try")),
	fields.length === 0 ? h("p", {}, t("tools.noargs")) : h("div", { class: "fields" }, fields.map(({ name, schema: member, required, control }) => h("p", { class: "field" },
		h("label", { for: control.id }, name, " ", h("span", { class: "type" }, type_of(member), required && `, ${t("tools.required")}`)),
		control,
		h("span", { class: "hint", id: `${control.id}-hint` }, hint_of(member))))),
	button, place);
}

/* ---------- the list ---------- */

function fold_of(tool) {
	const kind = kind_of(tool);
	const body = h("div", { class: "fold-body" });
	const fold = h("details", { class: "fold", "data-tool": tool.name },
		h("summary", {}, h("code", { class: "fold-name" }, tool.name), h("span", { class: "fold-title", lang: "en" }, tool.title ?? tool.annotations?.title ?? ""), h("span", { class: `tag ${kind}` }, t(`tools.${kind}`))),
		body);
	/* Built when it is opened: a list of fifty forms would be slow to make and to walk. */
	fold.addEventListener("toggle", () => {
		if (fold.open && !body.hasChildNodes())
			put(body, h("p", { class: "description", lang: "en" }, tool.description), form_of(tool));
	});
	return fold;
}

function matches(tool, words) {
	const text = `${tool.name} ${tool.title ?? ""} ${tool.description ?? ""}`.toLowerCase();
	return words.every((word) => text.includes(word));
}

function show() {
	if (failure) {
		put(at("tools-list"), h("p", {}, h("span", { class: "bad" }, explain(failure)), " ", h("button", { type: "button", on: { click: load } }, t("again"))));
		put(at("tools-count"));
		return;
	}
	const words = at("tools-q").value.toLowerCase().split(/\s+/).filter((word) => word !== "");
	const chosen = tools.filter((tool) => matches(tool, words));
	const open = new Set([...at("tools-list").querySelectorAll("details[open]")].map((fold) => fold.dataset.tool));
	put(at("tools-list"), chosen.length > 0 ? chosen.map(fold_of) : h("p", {}, t("tools.none")));
	for (const fold of at("tools-list").querySelectorAll("details"))
		fold.open = open.has(fold.dataset.tool);
	put(at("tools-count"), words.length > 0 ? t("tools.match", { m: number(chosen.length), n: number(tools.length) })
		: t(has_token() ? "tools.count.token" : "tools.count", { n: number(tools.length) }));
	at("tools-filter").hidden = tools.length < 8;
}

async function load() {
	try {
		tools = (await list_tools()).sort((a, b) => (a.name < b.name ? -1 : 1));
		failure = null;
	} catch (error) {
		known(error);
		failure = error;
	}
	show();
}

export function start_tools() {
	at("tools-q").addEventListener("input", after_pause(show, 150));
	on_language(show);
	/* With another token there are other tools. */
	document.addEventListener("souk:token", load);
	load();
}
