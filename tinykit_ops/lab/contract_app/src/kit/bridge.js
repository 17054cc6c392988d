// Between Node's http objects and the web's Request and Response, as adapter-node does it.
import { settings } from './env.js';

/** Throws when the request cannot be one (a bad Host, a method such as TRACE). */
export function toRequest(incoming) {
	const gone = new AbortController();
	incoming.once('close', () => {
		if (!incoming.readableEnded && incoming.destroyed) gone.abort();
	});
	const bodiless = incoming.method === 'GET' || incoming.method === 'HEAD';
	return new Request((settings.origin ?? originOf(incoming.headers)) + incoming.url, {
		method: incoming.method,
		headers: Object.entries(incoming.headers),
		body: bodiless ? undefined : limitedBody(incoming),
		duplex: 'half',
		signal: gone.signal
	});
}

/** Without PROTOCOL_HEADER, adapter-node takes it that the client used https. */
function originOf(headers) {
	const { protocolHeader, hostHeader, portHeader } = settings;
	const protocol = (protocolHeader && headers[protocolHeader]) || 'https';
	const host = (hostHeader && headers[hostHeader]) || headers.host;
	const port = portHeader && headers[portHeader];
	return `${protocol}://${host}${port ? `:${port}` : ''}`;
}

/** No content type, no body; more than announced, or announced above the limit: an error. */
function limitedBody(incoming) {
	const { headers } = incoming;
	const announced = Number(headers['content-length']);
	const unannounced = Number.isNaN(announced) && headers['transfer-encoding'] === undefined;
	if (!headers['content-type'] || unannounced || announced === 0) return null;
	// In tinykit this error ends as a 500 or as a route's own message: it is not an HttpError there.
	const tooLarge = () => {
		const message = `Content-length of ${announced} exceeds limit of ${settings.bodyLimit} bytes.`;
		return Object.assign(new Error(message), { status: 413 });
	};
	let size = 0;
	let over = false;
	return new ReadableStream({
		start(stream) {
			if (announced > settings.bodyLimit) {
				stream.error(tooLarge());
				return;
			}
			const stop = (error) => {
				if (!over) stream.error(error);
				over = true;
			};
			incoming.on('error', stop);
			incoming.on('end', () => over || stream.close());
			incoming.on('data', (chunk) => {
				size += chunk.length;
				if (over) return;
				if (size > announced) stop(tooLarge());
				else {
					stream.enqueue(chunk);
					if ((stream.desiredSize ?? 0) <= 0) incoming.pause();
				}
			});
		},
		pull() {
			incoming.resume();
		},
		cancel(reason) {
			over = true;
			incoming.destroy(reason);
		}
	});
}

/** Sends a Response chunk by chunk; a client that leaves cancels the rest. */
export async function send(response, outgoing) {
	for (const [name, value] of response.headers) {
		if (name !== 'set-cookie') outgoing.setHeader(name, value);
	}
	const cookies = response.headers.getSetCookie();
	if (cookies.length) outgoing.setHeader('set-cookie', cookies);
	outgoing.writeHead(response.status);
	if (!response.body) {
		outgoing.end();
		return;
	}
	const reader = response.body.getReader();
	const cancel = () => void reader.cancel().catch(() => {});
	outgoing.on('close', cancel);
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done || outgoing.destroyed) break;
			if (!outgoing.write(value)) await once(outgoing, 'drain', 'close');
		}
		outgoing.off('close', cancel);
		outgoing.end();
	} catch (error) {
		outgoing.destroy(error);
	}
}

function once(emitter, ...names) {
	return new Promise((resolve) => {
		const done = () => {
			for (const name of names) emitter.off(name, done);
			resolve();
		};
		for (const name of names) emitter.on(name, done);
	});
}
