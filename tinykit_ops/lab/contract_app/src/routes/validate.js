// Tries an LLM key at an address that the caller names: a request to anywhere (a flaw of tinykit's).
import { json } from '../kit/answers.js';
import { Client, FIXED_PB_URL } from '../pb/client.js';
import { isAccount } from './settings.js';

const OPENAI = 'https://api.openai.com/v1';
const DEEPSEEK = 'https://api.deepseek.com/v1';
const ANTHROPIC = 'https://api.anthropic.com/v1/messages';
const GEMINI = 'https://generativelanguage.googleapis.com/v1/models';

const PROVIDERS = {
	openai: (key, base) => bearer(`${base || OPENAI}/models`, key),
	deepseek: (key) => bearer(`${DEEPSEEK}/models`, key),
	gemini: (key) => attempt(`${GEMINI}?key=${key}`, {}, [400, 403]),
	anthropic: (key) => {
		const headers = { 'x-api-key': key, 'content-type': 'application/json' };
		return attempt(ANTHROPIC, { method: 'POST', headers, body: '{}' }, [401]);
	}
};

export async function POST({ request }) {
	if (!(await isAccount(request)) && !(await looksUnclaimed())) {
		return json({ error: 'Unauthorized' }, { status: 401 });
	}
	try {
		const { provider, api_key: key, base_url: base } = await request.json();
		if (!provider || !key) {
			return json({ error: 'Missing provider or api_key' }, { status: 400 });
		}
		const validate = Object.hasOwn(PROVIDERS, provider) && PROVIDERS[provider];
		if (!validate) return json({ error: `Unknown provider: ${provider}` }, { status: 400 });
		return json(await validate(key, base));
	} catch (error) {
		const message = error.message || 'Validation failed';
		return json({ valid: false, error: message }, { status: 500 });
	}
}

/** An empty list of users may only mean that guests see none: a flaw of tinykit's. */
async function looksUnclaimed() {
	const guest = new Client(FIXED_PB_URL);
	return guest.list('users', { page: 1, perPage: 1 }).then(
		({ totalItems }) => totalItems === 0,
		() => false
	);
}

function bearer(url, key) {
	return attempt(url, { headers: { Authorization: `Bearer ${key}` } }, [401]);
}

async function attempt(url, options, wrongKey) {
	try {
		const { ok, status } = await fetch(url, options);
		if (ok) return { valid: true };
		const known = wrongKey.includes(status);
		return { valid: false, error: known ? 'Invalid API key' : `API returned ${status}` };
	} catch (error) {
		return { valid: false, error: error.message || 'Connection failed' };
	}
}
