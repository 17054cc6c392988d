// Fetches any address for anybody. The block-list has tinykit's holes: it compares names and knows
// neither [::1] in brackets, IPv4 in IPv6, "localhost.", link-local and shared addresses, nor redirects.
import { plainJson } from '../kit/answers.js';

const BLOCKED = [
	/^localhost$/i,
	/^(127|10|0|192\.168)\./,
	/^172\.(1[6-9]|2\d|3[01])\./,
	/^::1$/,
	/^fc00:/i,
	/^fe80:/i
];
const PASSED_BACK = ['Content-Type', 'Content-Length', 'Accept-Ranges', 'Content-Range'];
const CORS = {
	'Access-Control-Allow-Origin': '*',
	'Access-Control-Allow-Methods': 'GET, OPTIONS',
	'Access-Control-Allow-Headers': 'Range'
};

export async function OPTIONS() {
	return new Response(null, {
		status: 204,
		headers: { ...CORS, 'Access-Control-Max-Age': '86400' }
	});
}

export async function GET({ url, request }) {
	const address = url.searchParams.get('url');
	if (!address) return plainJson({ error: 'Missing url parameter' }, 400);
	if (!URL.canParse(address)) return plainJson({ error: 'Invalid URL format' }, 400);
	const { protocol, hostname, origin } = new URL(address);
	if (!['http:', 'https:'].includes(protocol)) {
		return plainJson({ error: 'Only HTTP/HTTPS URLs allowed' }, 400);
	}
	if (BLOCKED.some((pattern) => pattern.test(hostname))) {
		return plainJson({ error: 'Internal network URLs not allowed' }, 403);
	}
	try {
		return await pass(await fetch(address, { headers: askedFor(request) }), origin);
	} catch (error) {
		return plainJson({ error: error.message || 'Failed to fetch URL' }, 502);
	}
}

function askedFor(request) {
	const headers = {};
	for (const name of ['Range', 'Accept']) {
		if (request.headers.get(name)) headers[name] = request.headers.get(name);
	}
	return headers;
}

async function pass(answer, origin) {
	const headers = new Headers({
		...CORS,
		'Access-Control-Expose-Headers': 'Content-Length, Content-Range, Accept-Ranges',
		'Cache-Control': 'public, max-age=3600'
	});
	for (const name of PASSED_BACK) {
		if (answer.headers.get(name)) headers.set(name, answer.headers.get(name));
	}
	const { status } = answer;
	if (!headers.get('Content-Type')?.includes('text/html')) {
		return new Response(answer.body, { status, headers });
	}
	return new Response(withAbsoluteLinks(await answer.text(), origin), { status, headers });
}

/** Links that begin with "/" lead to the page's own server. */
function withAbsoluteLinks(page, origin) {
	return page.replace(
		/(src|href|poster|action)=(["'])(\/[^"']+)\2/g,
		(_, name, quote, path) => `${name}=${quote}${origin}${path}${quote}`
	);
}
