/* The front page of what runs here. Each part of it is a module of front/; this file only starts them. */

import { at } from "./lib/dom.js";
import * as i18n from "./lib/i18n.js";
import { start_connect } from "./front/connect.js";
import { start_routes } from "./front/routes.js";
import { start_shop } from "./front/shop.js";
import { start_state } from "./front/state.js";
import { start_tools } from "./front/tools.js";

function start_languages() {
	const buttons = document.querySelectorAll("button[data-lang]");
	const mark = () => {
		for (const button of buttons)
			button.setAttribute("aria-pressed", String(button.dataset.lang === i18n.language()));
	};
	for (const button of buttons)
		button.addEventListener("click", () => i18n.choose(button.dataset.lang));
	i18n.on_language(mark);
	mark();
}

await i18n.begin();
document.documentElement.classList.add("scripted");
start_languages();
start_connect();
start_state();
start_shop();
start_tools();
start_routes();
/* A link to a part of the page is followed again once the parts have their height. */
if (location.hash.length > 1 && !location.hash.includes("/"))
	at("main").querySelector(`#${CSS.escape(location.hash.slice(1))}`)?.scrollIntoView();
