/*
 * Calls to souk: REST routes and MCP, both over fetch, both with a timeout, both failing with ApiError.
 *
 * The token lives in this module's memory alone: never in storage, never in an address, gone with the page.
 */

let token = "";

export class ApiError extends Error {
	/* status: HTTP status, 0 when no answer came; code: MCP_... or a JSON-RPC number or "timeout", "network", "form";
	 * request_id: what the log knows the request by; retry_s: seconds to wait, or null. */
	constructor(message, { status = 0, code = "", request_id = "", retry_s = null } = {}) {
		super(message);
		this.name = "ApiError";
		Object.assign(this, { status, code, request_id, retry_s });
	}
}

/* Throws on what is no failure of a call, but ours. */
export function known(error) {
	if (!(error instanceof ApiError))
		throw error;
}

export function use_token(text) {
	token = text;
}

export function has_token() {
	return token !== "";
}

/* The address of a path of this service, wherever it is mounted. */
export function address(path) {
	return new URL(path.replace(/^\//, ""), document.baseURI.replace(/[?#].*$/, "").replace(/[^/]*$/, "")).href;
}

async function answer_of(url, init, timeout_ms, signal) {
	const limit = AbortSignal.timeout(timeout_ms);
	try {
		const response = await fetch(url, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit, credentials: "omit", cache: "no-store" });
		return { response, text: await response.text() };
	} catch (error) {
		if (signal?.aborted)
			throw error;
		throw new ApiError(error.name === "TimeoutError" ? "no answer in time" : "no connection", { code: error.name === "TimeoutError" ? "timeout" : "network" });
	}
}

function parse(text, response) {
	try {
		return JSON.parse(text);
	} catch {
		throw new ApiError("the answer is not JSON", { status: response.status, code: "form" });
	}
}

function refusal(body, response) {
	const error = body?.error ?? {};
	const retry = response.headers.get("Retry-After");
	return new ApiError(error.message ?? `HTTP ${response.status}`, {
		status: response.status,
		code: error.code ?? "",
		request_id: error.request_id ?? response.headers.get("X-Request-Id") ?? "",
		retry_s: retry === null ? null : Number(retry),
	});
}

function with_token(headers) {
	return token === "" ? headers : { ...headers, Authorization: `Bearer ${token}` };
}

/*
 * GET of a JSON route. also: statuses besides 2xx whose body is an answer and no error (503 of /readyz).
 * -> {status, body}
 */
export async function get_json(path, { timeout_ms = 8000, signal, secret = false, also = [] } = {}) {
	const headers = { Accept: "application/json" };
	const { response, text } = await answer_of(address(path), { headers: secret ? with_token(headers) : headers }, timeout_ms, signal);
	if (!response.ok && !also.includes(response.status)) {
		let body = null;
		try {
			body = JSON.parse(text);
		} catch {
			/* A proxy's own page: the status says enough. */
		}
		throw refusal(body, response);
	}
	return { status: response.status, body: parse(text, response) };
}

/* The last message of a text/event-stream body that answers id. */
function from_stream(text, id) {
	let found = null;
	for (const event of text.split(/\r?\n\r?\n/)) {
		const data = event.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
		if (data === "")
			continue;
		const message = JSON.parse(data);
		if (message.id === id)
			found = message;
	}
	return found;
}

let last_id = 0;

/* One MCP request -> its result. told: takes its id in the shop's record. */
export async function mcp(method, params = {}, { path = "/mcp", timeout_ms = 10000, signal, told } = {}) {
	const id = ++last_id;
	const { response, text } = await answer_of(address(path), {
		method: "POST",
		headers: with_token({ "Content-Type": "application/json", Accept: "application/json, text/event-stream" }),
		body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
	}, timeout_ms, signal);
	let body = null;
	try {
		body = response.headers.get("Content-Type")?.startsWith("text/event-stream") ? from_stream(text, id) : JSON.parse(text);
	} catch {
		/* Told below. */
	}
	if (body?.error || !response.ok)
		throw refusal(body, response);
	if (!body || body.id !== id || typeof body.result !== "object")
		throw new ApiError("the answer is not JSON-RPC", { status: response.status, code: "form" });
	told?.(response.headers.get("X-Request-Id"));
	return body.result;
}

/* Tells a public route what nobody waits for, even when the page is left now. */
export function tell(path, body) {
	fetch(address(path), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), keepalive: true, credentials: "omit" }).catch(() => {});
}

/* Calls a tool -> its structured result. A tool's own refusal is an ApiError too. */
export async function call_tool(name, args, options) {
	const result = await mcp("tools/call", { name, arguments: args }, options);
	if (result.isError)
		throw new ApiError(result.content?.find((part) => part.type === "text")?.text ?? name, { status: 200, code: "tool" });
	return result.structuredContent ?? result;
}

/* All tools that the holder of the token, or anyone, may use. */
export async function list_tools(options) {
	const tools = [];
	let cursor;
	for (let page = 0; page < 20; page++) {
		const result = await mcp("tools/list", cursor ? { cursor } : {}, options);
		tools.push(...result.tools);
		cursor = result.nextCursor;
		if (!cursor)
			break;
	}
	return tools;
}
