// "Compiling" an app: its code is HTML and stays as it is; a small `tk` object is put before it,
// with the requests that the code of tinykit's apps sends.
const RUNTIME = (id) => `
const base = '/_tk/data/${id}';
const refuse = async (answer) => { if (!answer.ok) throw new Error(await answer.text()); return answer; };
const send = (method, body) => body instanceof FormData
	? { method, body }
	: { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
window.tk = {
	projectId: '${id}',
	list: async (name, query = {}) =>
		(await (await refuse(await fetch(base + '/' + name + '?' + new URLSearchParams(query)))).json()).items,
	create: async (name, body) => (await refuse(await fetch(base + '/' + name, send('POST', body)))).json(),
	update: async (name, key, body) =>
		(await refuse(await fetch(base + '/' + name + '/' + key, send('PATCH', body)))).json(),
	remove: async (name, key) => refuse(await fetch(base + '/' + name + '/' + key, { method: 'DELETE' })),
	asset: (file) => '/_tk/assets/${id}/' + file,
	proxy: (url) => fetch('/api/proxy?url=' + encodeURIComponent(url)),
	watch: (onData) => {
		const events = new EventSource('/_tk/realtime/${id}');
		events.addEventListener('data_updated', (event) => onData(JSON.parse(event.data)));
		return events;
	}
};
`;

/** The page of a project's app. */
export function appPage({ id, name, frontend_code: code }) {
	const title = (name || 'App').replace(/[&<]/g, (sign) => `&#${sign.charCodeAt(0)};`);
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<script>${RUNTIME(id)}</script></head>
<body>${code}</body></html>`;
}
