// Answers and the two things that a route may throw.

/** An error that the client is told about: its status and its message. */
export class HttpError extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

/** Leaves a route for another address. */
export class Redirect {
	constructor(status, location) {
		this.status = status;
		this.location = location;
	}
}

/** JSON with its length, as SvelteKit's helper sends it. */
export function json(value, { status = 200, headers = {} } = {}) {
	const body = Buffer.from(JSON.stringify(value));
	const all = new Headers(headers);
	all.set('content-length', String(body.length));
	if (!all.has('content-type')) all.set('content-type', 'application/json');
	return new Response(body, { status, headers: all });
}

/** Text with its length and without a content type, as SvelteKit's helper sends it. */
export function text(value, { status = 200, headers = {} } = {}) {
	const body = Buffer.from(value);
	const all = new Headers(headers);
	all.set('content-length', String(body.length));
	return new Response(body, { status, headers: all });
}

/** JSON made by hand in some of tinykit's routes: it goes out chunked. */
export function plainJson(value, status) {
	return new Response(JSON.stringify(value), {
		status,
		headers: { 'Content-Type': 'application/json' }
	});
}

export function html(page) {
	return new Response(page, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

export function escapeHtml(value) {
	const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
	return value.replace(/[&<>"']/g, (sign) => names[sign]);
}

export function unauthorized(message = 'Unauthorized') {
	return plainJson({ error: message }, 401);
}
