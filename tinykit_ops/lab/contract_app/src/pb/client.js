// A small PocketBase client for the server side.
export const PB_URL = process.env.POCKETBASE_URL || 'http://127.0.0.1:8091';
/** Some of tinykit's routes ignore POCKETBASE_URL. */
export const FIXED_PB_URL = 'http://127.0.0.1:8091';

/** PocketBase refused, or did not answer (status 0). */
export class PocketBaseError extends Error {
	constructor(status, response) {
		super(response?.message || 'Something went wrong.');
		this.status = status;
		this.response = response ?? {};
	}
}

export class Client {
	constructor(url = PB_URL) {
		this.url = url;
		this.token = '';
	}

	/** True while a token is there and its own expiry has not passed: nothing else is asked. */
	get hasLiveToken() {
		try {
			const payload = JSON.parse(Buffer.from(this.token.split('.')[1], 'base64url'));
			return payload.exp > Date.now() / 1000;
		} catch {
			return false;
		}
	}

	async send(path, { method = 'GET', body, query } = {}) {
		const form = body instanceof FormData;
		const headers = { 'Accept-Language': 'en-US' };
		if (!form) headers['Content-Type'] = 'application/json';
		if (this.token) headers.Authorization = this.token;
		const search = query ? `?${new URLSearchParams(query)}` : '';
		let answer;
		try {
			answer = await fetch(`${this.url}${path}${search}`, {
				method,
				headers,
				body: body === undefined || form ? body : JSON.stringify(body)
			});
		} catch {
			throw new PocketBaseError(0);
		}
		const value = await answer.json().catch(() => ({}));
		if (answer.status >= 400) throw new PocketBaseError(answer.status, value);
		return value;
	}

	async login(collection, identity, password) {
		const path = `/api/collections/${collection}/auth-with-password`;
		const answer = await this.send(path, { method: 'POST', body: { identity, password } });
		this.token = answer.token;
		return answer;
	}

	async refresh(collection) {
		const path = `/api/collections/${collection}/auth-refresh`;
		const answer = await this.send(path, { method: 'POST' });
		this.token = answer.token;
		return answer;
	}

	getOne(collection, id) {
		return this.send(recordPath(collection, id));
	}

	async list(collection, { page = 1, perPage = 30, ...query } = {}) {
		const path = `/api/collections/${collection}/records`;
		return this.send(path, { query: { page, perPage, ...query } });
	}

	create(collection, body) {
		return this.send(`/api/collections/${collection}/records`, { method: 'POST', body });
	}

	update(collection, id, body) {
		return this.send(recordPath(collection, id), { method: 'PATCH', body });
	}
}

function recordPath(collection, id) {
	return `/api/collections/${collection}/records/${encodeURIComponent(id)}`;
}

export function fileUrl(record, name, query = {}) {
	const words = [record.collectionId, record.id, name].map(encodeURIComponent);
	const search = Object.keys(query).length ? `?${new URLSearchParams(query)}` : '';
	return `${PB_URL}/api/files/${words.join('/')}${search}`;
}
