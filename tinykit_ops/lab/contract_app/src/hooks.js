// What happens before any route: preflight of published apps, watching domains, PocketBase's proxy.
import { trackUnknownDomain } from './pb/domains.js';
import { PB_URL } from './pb/client.js';

const PREFLIGHT = {
	'Access-Control-Allow-Origin': 'null',
	'Access-Control-Allow-Methods': 'GET, POST, PATCH, DELETE, OPTIONS',
	'Access-Control-Allow-Headers': 'Content-Type',
	'Access-Control-Max-Age': '86400'
};
const DASHBOARD_FILES = /^\/(libs|images|assets|fonts)\//;

export function domainOf(request) {
	const host = request.headers.get('host') || 'localhost';
	return host.toLowerCase().replace(/:\d+$/, '').replace(/^www\./, '');
}

export async function around(event, resolve) {
	const { request, url } = event;
	const path = url.pathname;
	event.locals.domain = domainOf(request);
	const forApps = path.startsWith('/_tk/');
	if (forApps && request.method === 'OPTIONS') {
		return new Response(null, { status: 204, headers: PREFLIGHT });
	}
	const forPocketBase = path.startsWith('/_pb/');
	if (!forApps && !forPocketBase && !path.startsWith('/api/')) {
		trackUnknownDomain(event.locals.domain).catch(() => {});
	}
	if (forPocketBase) return passToPocketBase(request, url);
	const response = await resolve();
	if (!forApps) return response;
	const headers = new Headers(response.headers);
	headers.set('Access-Control-Allow-Origin', '*');
	return new Response(response.body, { status: response.status, headers });
}

/** Everything goes through, the client's own X-Forwarded-For included (a flaw of tinykit's). */
async function passToPocketBase(request, url) {
	let path = url.pathname.replace('/_pb/', '/');
	if (DASHBOARD_FILES.test(path)) path = `/_${path}`;
	const headers = new Headers(request.headers);
	headers.delete('host');
	headers.delete('accept-encoding');
	try {
		const bodiless = request.method === 'GET' || request.method === 'HEAD';
		const answer = await fetch(`${PB_URL}${path}${url.search}`, {
			method: request.method,
			headers,
			body: bodiless ? undefined : await request.arrayBuffer()
		});
		const passed = new Headers(answer.headers);
		passed.delete('content-encoding');
		passed.delete('content-length');
		return new Response(answer.body, { status: answer.status, headers: passed });
	} catch (error) {
		console.error('PocketBase proxy:', error);
		return new Response('Proxy error', { status: 500 });
	}
}
