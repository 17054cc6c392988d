// Page shells. As in tinykit, anyone gets them: what is behind is decided by the page's script.
import { createHash } from 'node:crypto';
import { json, Redirect, text } from './answers.js';

const SCRIPT = '_app/immutable/contract.js';
const NOTE = 'This is tinykit-contract-app, a stand-in for tinykit in a lab. It is not tinykit.';

/**
 * A page is { name, title, layouts, load }: `load(event)` returns data for the script or throws a
 * Redirect; `layouts` is how many layouts tinykit has around it.
 */
export async function renderPage(event, page) {
	const data = page.load ? page.load(event) : {};
	return pageAnswer(event, (up) => shell(page, data, up));
}

/** The page for an error of a page route. */
export function renderPageError(event, status, message) {
	const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8" /></head>
<body><p><small>${NOTE}</small></p><h1>${status}</h1><p>${message}</p></body></html>
`;
	return pageAnswer(event, () => body, { status, headers: { allow: 'GET' } });
}

/** `write` gets the way up to the root, such as "../". */
function pageAnswer(event, write, { status = 200, headers = {} } = {}) {
	const up = '../'.repeat(event.url.pathname.split('/').length - 2) || './';
	const body = write(up);
	const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 7)}"`;
	return text(body, {
		status,
		headers: {
			'content-type': 'text/html',
			etag,
			link: `<${up}${SCRIPT}>; rel="modulepreload"; nopush`,
			'x-sveltekit-page': 'true',
			...headers
		}
	});
}

function shell({ name, title }, data, up) {
	const value = JSON.stringify(data).replaceAll('<', '\\u003c');
	return `<!doctype html>
<html lang="en">
<head>
	<meta charset="utf-8" />
	<link rel="icon" href="${up}favicon.png" />
	<meta name="viewport" content="width=device-width, initial-scale=1" />
	${title ? `<title>${title}</title>` : ''}
	<script type="application/json" id="page-data">${value}</script>
	<script type="module" src="${up}${SCRIPT}"></script>
</head>
<body data-page="${name}">
	<p id="stand-in"><small>${NOTE}</small></p>
	<main id="app">Loading…</main>
</body>
</html>
`;
}

/** The data of a page for SvelteKit's client: one node a layout, and one for the page. */
export async function renderData(event, route) {
	if (!route.page) return new Response(null, { status: 404 });
	const { page } = route;
	const quiet = { headers: { 'cache-control': 'private, no-store' } };
	// The client says with ones and zeros which nodes it wants anew.
	const wanted = event.url.searchParams.get('x-sveltekit-invalidated');
	event.url.searchParams.delete('x-sveltekit-invalidated');
	const node = (place, make) => (wanted !== null && wanted[place] !== '1' ? { type: 'skip' } : make());
	try {
		const layouts = Array.from({ length: page.layouts }, (_, place) => node(place, () => null));
		const own = () => (page.load ? dataNode(page, page.load(event)) : null);
		return json({ type: 'data', nodes: [...layouts, node(page.layouts, own)] }, quiet);
	} catch (error) {
		if (!(error instanceof Redirect)) throw error;
		return json({ type: 'redirect', location: error.location }, quiet);
	}
}

/** An object as SvelteKit's serializer writes it: names point to places in one flat list. */
function dataNode(page, data) {
	const flat = [{}];
	for (const [name, value] of Object.entries(data)) {
		flat[0][name] = flat.push(value) - 1;
	}
	return { type: 'data', data: flat, uses: { search_params: page.searchParams } };
}
