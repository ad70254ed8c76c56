/* The shop: what an assistant finds, the search, the product in its dialog; all through the public MCP tools. */

import { call_tool, known, tell } from "../lib/api.js";
import { after_pause, at, h, put, safe_url } from "../lib/dom.js";
import { explain, language, money, number, on_language, t } from "../lib/i18n.js";

const PAGE = 12;

/* What is looked for, what was found (each with what a click is told by), the request under way. */
const search = { query: "", category: null, products: [], total: 0, cursor: null, corrected: null, plain: false, ms: 0, running: null };
let categories = [];

/* ---------- one product ---------- */

function picture(product, size, alt = "") {
	const image = h("img", { src: safe_url(product.image) ?? "img/no-picture.svg", alt, width: size, height: size, loading: "lazy", decoding: "async" });
	image.addEventListener("error", () => { image.src = "img/no-picture.svg"; }, { once: true });
	return image;
}

function price_of(product) {
	if (product.price == null)
		return h("p", { class: "price" }, t("shop.noprice"));
	const sale = product.salePrice;
	if (sale == null || sale >= product.price)
		return h("p", { class: "price" }, money(product.price, product.currency));
	const before = money(product.price, product.currency);
	return h("p", { class: "price" }, h("strong", { class: "sale" }, money(sale, product.currency)), " ",
		h("s", { "aria-label": t("shop.was", { price: before }) }, before));
}

function stock_of(product) {
	const n = product.stock ?? 0;
	if (!(product.inStock ?? n > 0))
		return h("p", { class: "stock out" }, t("shop.out"));
	if (n > 0 && n <= 3)
		return h("p", { class: "stock few" }, t("shop.few", { n: number(n) }));
	return h("p", { class: "stock in" }, t("shop.in"));
}

function rating_of(product) {
	const { rating: average, ratingCount: count } = product;
	if (average === undefined || !count)
		return null;
	return h("p", { class: "rating" }, h("span", { role: "img", "aria-label": t("shop.rating", { n: number(average, { maximumFractionDigits: 1 }), m: number(count) }) },
		h("span", { class: "star" }, "★"), ` ${number(average, { minimumFractionDigits: 1, maximumFractionDigits: 1 })} (${number(count)})`));
}

/* For the owner's report: what of a search was opened, and its place. */
function open_found(product, found) {
	if (found)
		tell("/api/ai/search/click", { ...found, productId: product.id });
	open_product(product.slug);
}

function card({ product, found }) {
	return h("li", { class: "card" },
		picture(product, 300),
		h("h3", {}, h("button", { type: "button", on: { click: () => open_found(product, found) } }, product.name)),
		price_of(product),
		h("div", { class: "facts" }, stock_of(product), rating_of(product)));
}

/* ---------- the search ---------- */

function told_count() {
	const { query, category, products, total, plain, ms } = search;
	const values = { n: number(total), m: number(products.length), q: query || category?.name, ms: number(ms) };
	if (query === "")
		return t(category ? "shop.category" : plain ? "shop.whole" : "shop.featured", values);
	if (products.length < total)
		return t("shop.shown", values);
	return t(total === 1 ? "shop.found.1" : "shop.found", values);
}

function show_products() {
	put(at("products"), search.products.map(card));
	at("more").hidden = !search.cursor;
	if (search.products.length > 0)
		put(at("found"), told_count(), search.corrected && ` ${t("shop.corrected", { words: search.corrected.join(", ") })}`);
	else if (search.query === "" && !search.category)
		put(at("found"), t("shop.empty"));
	else
		put(at("found"), h("strong", {}, t("shop.none", { q: search.query || search.category.name })), " ", t("shop.none.hint"));
}

function show_failure(error) {
	put(at("found"), h("span", { class: "bad" }, explain(error)), " ", h("button", { type: "button", on: { click: () => run_search() } }, t("again")));
}

function arguments_of(featured) {
	const args = { limit: PAGE, locale: language() };
	if (search.query !== "")
		args.query = search.query;
	if (search.category)
		args.category = search.category.slug;
	if (featured)
		args.featured = true;
	return args;
}

/* The window: what the shop features, else what sells best. */
async function ask(cursor, signal) {
	const window = search.query === "" && !search.category;
	const next = cursor ? { cursor } : {};
	let id = null;
	const found = await call_tool("search_products", { ...arguments_of(window && !search.plain), ...next }, { signal, told: (told) => { id = told; } });
	found.searchId = search.query === "" ? null : id;
	if (!window || search.plain || cursor || found.products.length > 0)
		return found;
	search.plain = true;
	return call_tool("search_products", arguments_of(false), { signal });
}

/* Asks for products, the first or with a cursor the next; a later call ends an earlier. */
async function run_search(cursor = null) {
	search.running?.abort();
	const mine = new AbortController();
	search.running = mine;
	at("products").setAttribute("aria-busy", "true");
	const began = performance.now();
	try {
		const found = await ask(cursor, mine.signal);
		search.ms = Math.round(performance.now() - began);
		const before = cursor ? search.products : [];
		search.products = before.concat(found.products.map((product, i) =>
			({ product, found: found.searchId && { searchId: found.searchId, position: before.length + i + 1 } })));
		search.total = found.total;
		search.cursor = found.nextCursor ?? null;
		search.corrected = found.corrected ? Object.values(found.corrected) : null;
		show_products();
	} catch (error) {
		if (mine.signal.aborted)
			return;
		known(error);
		show_failure(error);
	} finally {
		if (search.running === mine)
			at("products").removeAttribute("aria-busy");
	}
}

function remember_query() {
	const url = new URL(location.href);
	if (search.query)
		url.searchParams.set("q", search.query);
	else
		url.searchParams.delete("q");
	history.replaceState(history.state, "", url);
}

function look_for(query) {
	const next = query.trim();
	if (next === search.query)
		return;
	search.query = next;
	remember_query();
	run_search();
}

async function show_more() {
	const before = search.products.length;
	await run_search(search.cursor);
	at("products").children[before]?.querySelector("button")?.focus();
}

/* ---------- categories ---------- */

function show_categories() {
	const chip = (category) => h("button", {
		type: "button", class: "chip", "aria-pressed": String((search.category?.slug ?? null) === (category?.slug ?? null)),
		on: { click: () => {
			search.category = category;
			for (const other of at("categories").children)
				other.setAttribute("aria-pressed", "false");
			at("categories").children[category ? categories.indexOf(category) + 1 : 0].setAttribute("aria-pressed", "true");
			run_search();
		} },
	}, category ? category.name : t("shop.all"));
	put(at("categories"), chip(null), categories.map(chip));
	at("categories").hidden = categories.length === 0;
}

async function load_categories() {
	try {
		categories = (await call_tool("list_categories", { depth: 1, locale: language() })).categories;
	} catch (error) {
		known(error);
		categories = [];
	}
	if (search.category)
		search.category = categories.find((category) => category.slug === search.category.slug) ?? null;
	show_categories();
}

/* ---------- the dialog ---------- */

function fact(name, ...value) {
	return value[0] == null || value[0] === "" ? null : [h("dt", {}, name), h("dd", {}, ...value)];
}

function text_of(value) {
	if (Array.isArray(value))
		return value.map(text_of).join(", ");
	if (typeof value === "number")
		return number(value);
	if (typeof value === "boolean")
		return t(value ? "tools.yes" : "tools.no");
	return typeof value === "object" && value !== null ? Object.values(value).map(text_of).join(" ") : String(value);
}

function variants_of(product) {
	if (!product.variants?.length)
		return null;
	const row = (variant) => h("li", {}, h("span", {}, Object.values(variant.options ?? {}).map(text_of).join(", ") || variant.sku),
		price_of({ ...variant, price: variant.price ?? product.price, currency: product.currency }), stock_of(variant));
	return [h("h3", {}, t("shop.variants")), h("ul", { class: "variants" }, product.variants.map(row))];
}

function sheet_of(product) {
	/* What the drawing of a demo product is made from says nothing to a buyer. */
	const attributes = Object.entries(product.attributes).filter(([name]) => name !== "kind" && name !== "colourHex").map(([name, value]) => fact(t(`fact.${name}`, {}, name), text_of(value)));
	const [image] = product.images;
	return [
		h("div", { class: "sheet-picture" }, picture({ image: image?.url }, 600, image?.alt ?? product.name)),
		h("div", { class: "sheet-words" },
			h("h2", { id: "product-name", tabindex: "-1" }, product.name),
			price_of(product),
			h("div", { class: "facts" }, stock_of(product), rating_of(product)),
			h("p", { class: "description" }, product.description),
			variants_of(product),
			h("h3", {}, t("shop.facts")),
			h("dl", { class: "pairs" }, fact(t("shop.sku"), product.sku), fact(t("shop.brand"), product.brand), fact(t("shop.colour"), product.colour),
				fact(t("shop.cat"), product.category?.path), attributes),
			h("div", { id: "product-similar" }),
			h("details", { class: "raw" }, h("summary", {}, t("shop.raw")), h("pre", { tabindex: "0" }, h("code", {}, JSON.stringify(product, null, 2))))),
	];
}

async function show_similar(product) {
	const place = document.getElementById("product-similar");
	try {
		const { products } = await call_tool("get_similar_products", { productId: product.id, limit: 4, locale: language() });
		if (place.isConnected && products.length > 0)
			put(place, h("h3", {}, t("shop.similar")), h("ul", { class: "minis" }, products.map(mini)));
	} catch (error) {
		/* The sheet is complete without its neighbours. */
		known(error);
	}
}

async function open_product(slug) {
	const dialog = at("product");
	put(at("product-sheet"), h("p", { id: "product-name", role: "status" }, t("shop.loading")));
	if (!dialog.open)
		dialog.showModal();
	history.replaceState(history.state, "", `#product/${encodeURIComponent(slug)}`);
	/* An answer that comes when the dialog is closed or asks for another is dropped. */
	const still_wanted = () => dialog.open && product_in_address() === slug;
	try {
		const product = await call_tool("get_product_details", { slug, locale: language() });
		if (!still_wanted())
			return;
		put(at("product-sheet"), sheet_of(product));
		at("product-sheet").scrollTop = 0;
		at("product-name").focus();
		show_similar(product);
	} catch (error) {
		known(error);
		if (still_wanted())
			put(at("product-sheet"), h("p", { id: "product-name", class: "bad", role: "status" }, explain(error)));
	}
}

function product_in_address() {
	const match = /^#product\/(.+)$/.exec(location.hash);
	return match ? decodeURIComponent(match[1]) : null;
}

function start_dialog() {
	const dialog = at("product");
	dialog.addEventListener("click", (event) => {
		if (event.target === dialog)
			dialog.close();
	});
	at("product-close").addEventListener("click", () => dialog.close());
	dialog.addEventListener("close", () => {
		if (product_in_address())
			history.replaceState(history.state, "", location.pathname + location.search);
	});
	const follow = () => {
		const slug = product_in_address();
		if (slug)
			open_product(slug);
	};
	window.addEventListener("hashchange", follow);
	follow();
}

/* ---------- what an assistant does ---------- */

function mini(product) {
	return h("li", {}, h("button", { type: "button", class: "mini", on: { click: () => open_product(product.slug) } },
		picture(product, 120), h("span", { class: "mini-name" }, product.name), price_of(product)));
}

/* The question of the picture at the top is asked for real, each time. */
async function show_talk() {
	const args = { query: language() === "fr" ? "lampe à poser" : "table lamp", maxPrice: 100, limit: 3, locale: language() };
	const began = performance.now();
	try {
		const { products } = await call_tool("search_products", args);
		put(at("talk-call"), `search_products ${JSON.stringify({ query: args.query, maxPrice: 100 })}`);
		put(at("talk-took"), t("talk.took", { n: number(products.length), ms: number(Math.round(performance.now() - began)) }));
		put(at("talk-products"), products.map(mini));
		at("talk").hidden = products.length === 0;
	} catch (error) {
		known(error);
		at("talk").hidden = true;
	}
}

export function start_shop() {
	const input = at("q");
	search.query = (new URLSearchParams(location.search).get("q") ?? "").trim().slice(0, 200);
	input.value = search.query;
	const type = after_pause(() => look_for(input.value), 300);
	input.addEventListener("input", type);
	at("search").addEventListener("submit", (event) => {
		event.preventDefault();
		look_for(input.value);
	});
	at("more").addEventListener("click", show_more);
	const load = () => {
		show_talk();
		load_categories();
		run_search();
	};
	on_language(load);
	load();
	start_dialog();
}
