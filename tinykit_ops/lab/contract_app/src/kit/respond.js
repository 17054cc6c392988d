// What SvelteKit does around a route: form check, decoding, slashes, methods, errors.
import { around } from '../hooks.js';
import { findRoute } from '../routes.js';
import { preferred } from './accept.js';
import { escapeHtml, HttpError, json, Redirect, text } from './answers.js';
import { renderData, renderPage, renderPageError } from './pages.js';

const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'];
const DATA = '/__data.json';
const ROUTE_SCRIPT = '/__route.js';

/** Answers one Request; never throws. */
export async function respond(request, clientAddress) {
	const url = new URL(request.url);
	const early = refuseForeignForm(request, url);
	if (early) return early;

	const forData = url.pathname.endsWith(DATA);
	if (forData) url.pathname = url.pathname.slice(0, -DATA.length) || '/';
	let path;
	try {
		path = url.pathname.split('%25').map(decodeURI).join('%25');
	} catch {
		return text('Malformed URI', { status: 400 });
	}
	const internal = answerInternal(path, request, url);
	if (internal) return internal;

	const { route, params } = findRoute(path);
	if (!forData && url.pathname !== '/' && url.pathname.endsWith('/')) {
		return withoutSlash(url);
	}
	const event = { request, url, params, forData, clientAddress, locals: {}, headers: {} };
	try {
		const response = await around(event, () => resolve(event, route));
		return notModified(request, response) ?? response;
	} catch (error) {
		return answerError(event, error);
	}
}

/** A form from another origin, or with no Origin at all, is refused: SvelteKit's CSRF check. */
function refuseForeignForm(request, url) {
	if (url.pathname.startsWith('/_app/remote/')) {
		const foreign = request.method !== 'GET' && request.headers.get('origin') !== url.origin;
		return foreign
			? json({ message: 'Cross-site remote requests are forbidden' }, { status: 403 })
			: null;
	}
	const type = (request.headers.get('content-type') ?? '').split(';', 1)[0].trim().toLowerCase();
	const form = FORMS.includes(type) && WRITES.includes(request.method);
	if (!form || request.headers.get('origin') === url.origin) return null;
	const message = `Cross-site ${request.method} form submissions are forbidden`;
	return request.headers.get('accept') === 'application/json'
		? json({ message }, { status: 403 })
		: text(message, { status: 403 });
}

function answerInternal(path, request, url) {
	if (path.endsWith(ROUTE_SCRIPT)) {
		return text('Server-side route resolution disabled', { status: 400 });
	}
	if (path.startsWith('/_app/remote/')) {
		return json({ message: 'Error: 404' }, { status: 404 });
	}
	if (path === '/_app/env.js') {
		return new Response('export const env={}', {
			headers: { 'content-type': 'application/javascript; charset=utf-8', etag: 'W/1' }
		});
	}
	if (path.startsWith('/_app')) {
		return text('Not found', {
			status: 404,
			headers: { 'cache-control': 'public, max-age=0, must-revalidate' }
		});
	}
	return null;
}

function withoutSlash(url) {
	const path = url.pathname.slice(0, -1);
	const location = path.startsWith('//') ? url.origin + path : path;
	return new Response(null, {
		status: 308,
		headers: { 'x-sveltekit-normalize': '1', location: location + url.search }
	});
}

/** The route itself; its errors become answers here, so that hooks see an answer. */
async function resolve(event, route) {
	let response;
	try {
		if (event.forData) response = await renderData(event, route);
		else if (route.page) response = await answerPage(event, route.page);
		else response = await answerEndpoint(event, route);
	} catch (error) {
		return answerError(event, error);
	}
	// `in` walks prototypes too: after a polluted Object.prototype every answer shows the new key.
	for (const name in event.headers) response.headers.set(name, event.headers[name]);
	return response;
}

async function answerEndpoint(event, { handlers }) {
	const { method } = event.request;
	const handler = handlers[method] ?? (method === 'HEAD' ? handlers.GET : undefined);
	if (!handler) return methodNotAllowed(method, Object.keys(handlers));
	return handler(event);
}

async function answerPage(event, page) {
	const { method, headers } = event.request;
	if (method === 'GET' || method === 'HEAD') return renderPage(event, page);
	if (method === 'OPTIONS') {
		return new Response(null, { status: 204, headers: { allow: 'GET, HEAD, OPTIONS' } });
	}
	if (method !== 'POST') return methodNotAllowed(method, ['GET', 'HEAD', 'OPTIONS']);
	const message = 'Method Not Allowed';
	const wish = preferred(headers.get('accept') ?? '*/*', ['application/json', 'text/html']);
	return wish === 'application/json'
		? json({ type: 'error', error: { message } }, { status: 405, headers: { allow: 'GET' } })
		: renderPageError(event, 405, message);
}

function methodNotAllowed(method, allowed) {
	const names = METHODS.filter((name) => allowed.includes(name));
	if (names.includes('GET') && !names.includes('HEAD')) names.push('HEAD');
	return text(`${method} method not allowed`, {
		status: 405,
		headers: { allow: names.join(', ') }
	});
}

function answerError(event, error) {
	if (error instanceof Redirect) {
		const { status, location } = error;
		return new Response(null, { status, headers: { location } });
	}
	const known = error instanceof HttpError;
	if (!known) console.error(`[500] ${event.request.method} ${event.url.pathname}`, error);
	const status = known ? error.status : 500;
	const message = known ? error.message : 'Internal Error';
	const accept = event.request.headers.get('accept') || 'text/html';
	if (event.forData || preferred(accept, ['application/json', 'text/html']) === 'application/json') {
		return json({ message }, { status });
	}
	const page = `<!doctype html>
<html lang="en"><head><meta charset="utf-8" /><title>${escapeHtml(message)}</title></head>
<body><h1>${status}</h1><p>${escapeHtml(message)}</p></body></html>
`;
	return text(page, { status, headers: { 'content-type': 'text/html; charset=utf-8' } });
}

function notModified(request, response) {
	const etag = response.headers.get('etag');
	if (response.status !== 200 || !etag) return null;
	if (request.headers.get('if-none-match')?.replace(/^W\//, '') !== etag) return null;
	return new Response(null, { status: 304, headers: { etag } });
}
