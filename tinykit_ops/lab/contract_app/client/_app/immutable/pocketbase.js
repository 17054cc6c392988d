// PocketBase in the browser, through /_pb: the requests of its SDK, and its place for the token.
const STORE = 'pocketbase_auth';

export const auth = {
	get stored() {
		try {
			return JSON.parse(localStorage.getItem(STORE) ?? '{}');
		} catch {
			return {};
		}
	},
	get token() {
		return this.stored.token ?? '';
	},
	get alive() {
		try {
			return JSON.parse(atob(this.token.split('.')[1])).exp > Date.now() / 1000;
		} catch {
			return false;
		}
	},
	save: (token, record) => localStorage.setItem(STORE, JSON.stringify({ token, record })),
	clear: () => localStorage.removeItem(STORE)
};

/** PocketBase gets the bare token; tinykit's own API gets it as a Bearer token. */
export async function pb(path, { method = 'GET', body } = {}) {
	const headers = { 'Accept-Language': 'en-US' };
	const form = body instanceof FormData;
	if (!form) headers['Content-Type'] = 'application/json';
	if (auth.token) headers.Authorization = auth.token;
	const answer = await fetch(`/_pb/api${path}`, {
		method,
		headers,
		body: body === undefined || form ? body : JSON.stringify(body)
	});
	const value = await answer.json().catch(() => ({}));
	if (!answer.ok) throw new Error(value.message || `PocketBase answered ${answer.status}`);
	return value;
}

export async function login(identity, password) {
	const body = { identity, password };
	const path = '/collections/users/auth-with-password';
	const { token, record } = await pb(path, { method: 'POST', body });
	auth.save(token, record);
}

/** Tells whether somebody is logged in; asks PocketBase and renews the token. */
export async function stillLoggedIn() {
	if (!auth.alive) return false;
	try {
		const path = '/collections/users/auth-refresh';
		const { token, record } = await pb(path, { method: 'POST' });
		auth.save(token, record);
		return true;
	} catch {
		auth.clear();
		return false;
	}
}

const PROJECTS = '/collections/_tk_projects/records';
export const projects = {
	list: async () => (await pb(`${PROJECTS}?page=1&perPage=500`)).items,
	get: (id) => pb(`${PROJECTS}/${id}`),
	create: (body) => pb(PROJECTS, { method: 'POST', body }),
	update: (id, body) => pb(`${PROJECTS}/${id}`, { method: 'PATCH', body }),

	/** Calls back with the record at every change, over PocketBase's realtime API. */
	watch(id, onChange) {
		const topic = `_tk_projects/${id}`;
		const events = new EventSource('/_pb/api/realtime');
		events.addEventListener('PB_CONNECT', ({ lastEventId: clientId }) => {
			const body = { clientId, subscriptions: [topic] };
			pb('/realtime', { method: 'POST', body }).catch(console.error);
		});
		events.addEventListener(topic, ({ data }) => onChange(JSON.parse(data).record));
	}
};

export const kits = () =>
	pb('/collections/_tk_kits/records?page=1&perPage=500&skipTotal=1&sort=created');
