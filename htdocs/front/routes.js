/* The routes, from /openapi.json of the running service. */

import { address, get_json, known } from "../lib/api.js";
import { at, h, put } from "../lib/dom.js";
import { explain, number, on_language, t } from "../lib/i18n.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

let routes = [];
let failure = null;

/* -> [{method, path, summary, description, scope, open (to anyone), parameters}] by path. */
function routes_of(api) {
	const list = [];
	for (const [path, item] of Object.entries(api.paths ?? {}))
		for (const method of METHODS)
			if (item[method])
				list.push({
					method, path,
					summary: item[method].summary ?? "",
					description: item[method].description ?? "",
					scope: item[method]["x-scope"] ?? "",
					open: is_open(item[method].security ?? api.security),
					parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map((parameter) => resolve(parameter, api)),
				});
	return list.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : METHODS.indexOf(a.method) - METHODS.indexOf(b.method)));
}

/* Follows a reference inside the document. */
function resolve(node, api) {
	if (typeof node?.$ref !== "string" || !node.$ref.startsWith("#/"))
		return node;
	return node.$ref.slice(2).split("/").reduce((value, key) => value?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], api) ?? {};
}

function is_open(security) {
	return !security?.length || security.some((way) => Object.keys(way).length === 0);
}

function access_of({ open, scope }) {
	if (open)
		return h("span", { class: "tag open" }, t("routes.open"));
	return h("span", { class: "tag locked" }, scope && scope !== "none" ? t("routes.scope", { scope }) : t("routes.token"));
}

function parameters_of(parameters) {
	if (parameters.length === 0)
		return null;
	return [h("h3", {}, t("routes.params")), h("dl", { class: "args" }, parameters.map((parameter) => [
		h("dt", {}, h("code", {}, parameter.name), " ", h("span", { class: "type" }, parameter.schema?.type ?? parameter.in, parameter.required ? `, ${t("tools.required")}` : "")),
		h("dd", {}, h("span", { lang: "en" }, parameter.description ?? ""), parameter.schema?.enum && h("span", { class: "limits" }, ` ${parameter.schema.enum.join(" · ")}`)),
	]))];
}

function fold_of(route) {
	const easy = route.method === "get" && route.open && !route.path.includes("{") && !route.parameters.some((parameter) => parameter.required);
	return h("details", { class: "fold" },
		h("summary", {}, h("span", { class: `method ${route.method}` }, route.method.toUpperCase()), h("code", { class: "fold-name" }, route.path),
			h("span", { class: "fold-title", lang: "en" }, route.summary), access_of(route)),
		h("div", { class: "fold-body" }, route.description && h("p", { class: "description", lang: "en" }, route.description), parameters_of(route.parameters),
			easy && h("p", {}, h("a", { href: address(route.path) }, t("routes.see"), h("span", { class: "unseen" }, ` ${route.path}`)))));
}

function show() {
	if (failure)
		put(at("routes-list"), h("p", {}, h("span", { class: "bad" }, explain(failure)), " ", h("button", { type: "button", on: { click: load } }, t("again"))));
	else
		put(at("routes-list"), routes.map(fold_of));
	put(at("routes-count"), failure ? "" : t("routes.count", { n: number(routes.length) }));
}

async function load() {
	try {
		routes = routes_of((await get_json("/openapi.json")).body);
		failure = null;
	} catch (error) {
		known(error);
		failure = error;
	}
	show();
}

export function start_routes() {
	on_language(show);
	load();
}
