// The files under client/, with the headers that adapter-node's file server sends.
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES = {
	'.js': 'text/javascript',
	'.css': 'text/css',
	'.json': 'application/json',
	'.png': 'image/png',
	'.svg': 'image/svg+xml'
};
const root = fileURLToPath(new URL('../client', import.meta.url));
const files = new Map(listing('/'));

function listing(folder) {
	return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
		const path = join(folder, entry.name);
		return entry.isDirectory() ? listing(path) : [[path, statSync(join(root, path))]];
	});
}

/** Serves the request if it names a file; tells whether it did. */
export function serveFile(incoming, outgoing) {
	const path = pathOf(incoming.url);
	const stat = files.get(path);
	if (!stat) return false;
	const etag = `W/"${stat.size}-${stat.mtime.getTime()}"`;
	outgoing.setHeader('Vary', 'Accept-Encoding');
	if (incoming.headers['if-none-match'] === etag) {
		outgoing.writeHead(304).end();
		return true;
	}
	if (path.startsWith('/_app/immutable/')) {
		outgoing.setHeader('Cache-Control', 'public,max-age=31536000,immutable');
	}
	outgoing.writeHead(200, {
		'Content-Length': stat.size,
		'Content-Type': TYPES[extname(path)] ?? '',
		'Last-Modified': stat.mtime.toUTCString(),
		ETag: etag
	});
	createReadStream(join(root, path)).pipe(outgoing);
	return true;
}

function pathOf(url) {
	const path = url.split('?', 1)[0];
	try {
		return decodeURIComponent(path);
	} catch {
		return path;
	}
}
