// PocketBase's realtime API over one connection a watched project.
import { get } from 'node:http';
import { PROJECTS } from './projects.js';
import { pb } from './server.js';

const RETRY = 1000; // ms

/**
 * Calls `onUpdate(record)` whenever the project is updated; returns a function that stops.
 * Resolves once PocketBase has accepted the subscription; throws if it does not.
 */
export async function watchProject(id, onUpdate) {
	const watch = { id, onUpdate, stopped: false, request: null };
	await connect(watch);
	return () => {
		watch.stopped = true;
		watch.request?.destroy();
	};
}

function connect(watch) {
	return new Promise((resolve, reject) => {
		watch.request = get(`${pb.url}/api/realtime`, (answer) => {
			answer.setEncoding('utf8');
			let rest = '';
			answer.on('data', (chunk) => {
				const messages = (rest + chunk).split('\n\n');
				rest = messages.pop();
				for (const message of messages) take(watch, parse(message), resolve, reject);
			});
			answer.on('close', () => reconnect(watch));
		});
		watch.request.on('error', reject);
	});
}

/** PocketBase closes a connection from time to time: come back, as its SDK does. */
function reconnect(watch) {
	if (watch.stopped) return;
	setTimeout(() => {
		if (!watch.stopped) connect(watch).catch(() => reconnect(watch));
	}, RETRY).unref();
}

function parse(message) {
	const fields = {};
	for (const line of message.split('\n')) {
		const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
		if (name) fields[name] = value;
	}
	return fields;
}

function take(watch, { event, id, data }, resolve, reject) {
	const topic = `${PROJECTS}/${watch.id}`;
	if (event === 'PB_CONNECT') {
		const body = { clientId: id, subscriptions: [topic] };
		pb.send('/api/realtime', { method: 'POST', body }).then(resolve, reject);
	} else if (event === topic) {
		const { action, record } = JSON.parse(data);
		if (action === 'update') watch.onUpdate(record);
	}
}
