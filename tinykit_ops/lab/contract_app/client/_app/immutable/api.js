// tinykit's own API, with the headers that tinykit's pages send.
import { auth } from './pocketbase.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

/** With the account's token. Throws with the server's message when it refuses. */
export async function api(path, { method = 'GET', body } = {}) {
	const headers = { Authorization: `Bearer ${auth.token}` };
	return call(path, method, body === undefined ? headers : { ...JSON_TYPE, ...headers }, body);
}

/** Without the token: what tinykit's pages ask as anybody. */
export async function openApi(path, { method = 'GET', body } = {}) {
	return call(path, method, body === undefined ? {} : JSON_TYPE, body);
}

async function call(path, method, headers, body) {
	const options = { method, headers, body: body && JSON.stringify(body) };
	const answer = await fetch(path, options);
	const value = await answer.json().catch(() => ({}));
	if (!answer.ok) throw new Error(value.error || value.message || `answered ${answer.status}`);
	return value;
}
