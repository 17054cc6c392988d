import { json, unauthorized } from '../kit/answers.js';
import { Client, FIXED_PB_URL } from '../pb/client.js';
import { accountOf, ensureLogin, pb } from '../pb/server.js';

const SETTINGS = '_tk_settings';

/** Bearer header or PocketBase's cookie. */
export async function isAccount(request) {
	const header = request.headers.get('Authorization');
	const client = new Client(FIXED_PB_URL);
	client.token = header?.startsWith('Bearer ')
		? header.slice(7)
		: tokenOfCookie(request.headers.get('Cookie') || '');
	if (!client.token) return false;
	return client.refresh('users').then(
		() => true,
		() => false
	);
}

function tokenOfCookie(cookies) {
	const [, value] = /pb_auth=([^;]+)/.exec(cookies) ?? [];
	if (!value) return '';
	const text = decodeURIComponent(value);
	try {
		return JSON.parse(text).token;
	} catch {
		return '';
	}
}

/** The environment's settings, else the database's, else null. */
export async function llmSettings() {
	const { LLM_API_KEY, LLM_PROVIDER, LLM_MODEL, LLM_BASE_URL } = process.env;
	if (LLM_API_KEY) {
		return {
			provider: LLM_PROVIDER || 'anthropic',
			api_key: LLM_API_KEY,
			model: LLM_MODEL,
			base_url: LLM_BASE_URL || undefined
		};
	}
	if (!(await ensureLogin())) return null;
	return pb.getOne(SETTINGS, 'llm').then(
		(record) => record.value || null,
		() => null
	);
}

export async function GET({ url, request }) {
	if (!(await isAccount(request))) return json({ error: 'Unauthorized' }, { status: 401 });
	const key = url.searchParams.get('key');
	if (!key) return json({ error: 'Missing key parameter' }, { status: 400 });
	if (!(await ensureLogin())) return loginExpired();
	try {
		const { value } = await pb.getOne(SETTINGS, key);
		return json({ value: key === 'llm' ? masked(value) : value });
	} catch (error) {
		if (error.status === 404) return json({ value: null });
		return json({ error: 'Failed to get settings' }, { status: 500 });
	}
}

export async function POST({ request }) {
	if (!(await isAccount(request))) return json({ error: 'Unauthorized' }, { status: 401 });
	if (!(await ensureLogin())) return loginExpired();
	try {
		const { key, value } = await request.json();
		if (!key) return json({ error: 'Missing key' }, { status: 400 });
		await store(key, key === 'llm' ? await withOldKey(value) : value);
		return json({ success: true });
	} catch (error) {
		const message = error.message || 'Failed to save settings';
		return json({ error: message }, { status: 500 });
	}
}

async function store(key, value) {
	try {
		await pb.update(SETTINGS, key, { value });
	} catch (error) {
		if (error.status !== 404) throw error;
		await pb.create(SETTINGS, { id: key, value });
	}
}

/** Saving without a key keeps the key that is there. */
async function withOldKey(value) {
	if (!value || typeof value !== 'object' || value.api_key) return value;
	const old = await pb.getOne(SETTINGS, 'llm').catch(() => null);
	return old?.value ? { ...value, api_key: old.value.api_key } : value;
}

function masked(value) {
	if (!value || typeof value !== 'object') return value;
	const key = value.api_key ?? '';
	const stars = '•'.repeat(Math.min(Math.max(key.length - 4, 0), 20));
	return { ...value, api_key: key.length < 8 ? '' : stars + key.slice(-4), has_api_key: !!key };
}

export async function llmStatus({ request }) {
	if (!(await accountOf(request))) return unauthorized('Authentication required');
	const stored = Boolean((await llmSettings())?.api_key);
	const inEnvironment = Boolean(process.env.LLM_API_KEY);
	const source = stored ? 'settings' : inEnvironment ? 'env' : null;
	return json({ configured: stored || inEnvironment, source });
}

function loginExpired() {
	const message = 'Server authentication expired. Please log in again.';
	return json({ error: 'server_auth_expired', message }, { status: 503 });
}
