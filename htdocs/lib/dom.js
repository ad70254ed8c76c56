/*
 * Elements without markup. Nothing here or anywhere in these pages parses a string as HTML, so no text that comes
 * from a shop, a tool or a visitor can become an element; the pages run under require-trusted-types-for 'script'.
 */

const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name === "on")
			for (const [type, listener] of Object.entries(value))
				node.addEventListener(type, listener);
		else if (name.startsWith("on"))
			throw new TypeError("listeners go into on: {}");
		else
			node.setAttribute(name, value === true ? "" : String(value));
	}
	node.append(...children.flat(2).filter((child) => child !== undefined && child !== null && child !== false));
	return node;
}

/* h("a", {href: "#x", on: {click: f}}, "text", node, [nodes]): an element. Attributes of null, undefined or false are left out. */
export function h(tag, attributes, ...children) {
	return build(document.createElement(tag), attributes, children);
}

/* The same for SVG. */
export function svg(tag, attributes, ...children) {
	return build(document.createElementNS(SVG, tag), attributes, children);
}

/* The element of that id, which the page must have. */
export function at(id) {
	const node = document.getElementById(id);
	if (!node)
		throw new Error(`the page has no #${id}`);
	return node;
}

/* Replaces what an element holds. */
export function put(node, ...children) {
	node.replaceChildren(...children.flat(2).filter((child) => child !== undefined && child !== null && child !== false));
	return node;
}

/* An address that may be shown as a picture or followed: http, https or this site; anything else is null. */
export function safe_url(text) {
	if (typeof text !== "string" || text === "")
		return null;
	try {
		const url = new URL(text, document.baseURI);
		return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
	} catch {
		return null;
	}
}

/* Calls f once the calls have paused for ms. */
export function after_pause(f, ms) {
	let timer = 0;
	return (...args) => {
		clearTimeout(timer);
		timer = setTimeout(() => f(...args), ms);
	};
}
