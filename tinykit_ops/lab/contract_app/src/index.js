// tinykit-contract-app: a stand-in for tinykit with its behaviour and its flaws. Not for production.
import { createServer } from 'node:http';
import { send, toRequest } from './kit/bridge.js';
import { settings } from './kit/env.js';
import { respond } from './kit/respond.js';
import { serveFile } from './kit/static.js';

const SYSTEMD_FIRST_SOCKET = 3;

const server = createServer(async (incoming, outgoing) => {
	if (serveFile(incoming, outgoing)) return;
	let request;
	try {
		request = toRequest(incoming);
	} catch {
		outgoing.statusCode = 400;
		outgoing.end('Bad Request');
		return;
	}
	await send(await respond(request, () => clientAddress(incoming)), outgoing);
});

function clientAddress(incoming) {
	const { addressHeader } = settings;
	if (!addressHeader) return incoming.socket.remoteAddress;
	const value = incoming.headers[addressHeader];
	if (value === undefined) throw new Error(`the request has no ${addressHeader} header`);
	return value.split(',').at(-1).trim();
}

/** SIGTERM and SIGINT let requests finish for SHUTDOWN_TIMEOUT seconds, then cut them off. */
let stopping = false;
function stop() {
	if (stopping) return;
	stopping = true;
	server.closeIdleConnections();
	server.close(() => process.exit(0));
	setTimeout(() => server.closeAllConnections(), settings.shutdownSeconds * 1000);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
server.on('request', (incoming) => {
	incoming.on('close', () => stopping && server.closeIdleConnections());
});

const { host, port, socketPath, handedOver } = settings;
const where = handedOver
	? { fd: SYSTEMD_FIRST_SOCKET }
	: socketPath
		? { path: socketPath }
		: { host, port };
server.listen(where, () => {
	const name = handedOver ? 'file descriptor 3' : (socketPath ?? `http://${host}:${port}`);
	console.log(`tinykit-contract-app (a stand-in for tinykit). Listening on ${name}`);
});
