// First come, first served: whoever posts here first owns the server (a flaw of tinykit's).
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { json } from '../kit/answers.js';
import { Client } from '../pb/client.js';
import { isSetUp, writeMarker } from '../pb/marker.js';

const run = promisify(execFile);
const COMMAND = './pocketbase/pocketbase';

export async function GET() {
	return json({ needs_setup: !isSetUp() });
}

export async function POST({ request }) {
	if (isSetUp()) return refuse('Setup already completed', 400);
	try {
		const { email, password, llm } = await request.json();
		if (!email || !password) return refuse('Email and password are required', 400);
		if (password.length < 8) return refuse('Password must be at least 8 characters', 400);
		return await claim(email, password, llm);
	} catch (error) {
		return refuse(error.message || 'Setup failed', 500);
	}
}

async function claim(email, password, llm) {
	const pb = new Client();
	try {
		// In argv for all to see: a flaw of tinykit's.
		await run(COMMAND, ['superuser', 'upsert', email, password]);
	} catch {
		return refuse('Failed to create superuser', 500);
	}
	try {
		await pb.login('_superusers', email, password);
	} catch (error) {
		return refuse(`Superuser created but authentication failed: ${error.message}`, 500);
	}
	try {
		const account = { email, password, passwordConfirm: password, name: 'Admin' };
		await pb.create('users', account);
	} catch (error) {
		const detail = JSON.stringify(error.response?.data || error.message);
		return refuse(`Superuser created but user account creation failed: ${detail}`, 500);
	}
	await closeSignUp(pb);
	if (llm?.api_key) await saveLlm(pb, llm);
	saveCredentials(email, password, pb.token);
	return json({ success: true });
}

async function closeSignUp(pb) {
	const change = { method: 'PATCH', body: { createRule: null } };
	await pb.send('/api/collections/users', change).catch((error) => {
		console.error('[Setup] sign-up stays as it is:', error.message);
	});
}

/** The key goes into the database, where every account can read it: a flaw of tinykit's. */
async function saveLlm(pb, { provider, api_key, model }) {
	const value = { provider, api_key, model };
	await pb.create('_tk_settings', { id: 'llm', value }).catch((error) => {
		console.error('[Setup] LLM settings are not saved:', error.message);
	});
}

/** The superuser's password goes to disk in plain text: a flaw of tinykit's. */
function saveCredentials(email, password, token) {
	try {
		writeMarker({
			timestamp: new Date().toISOString(),
			admin_email: email,
			admin_password: password,
			auth_token: token
		});
	} catch (error) {
		console.error('[Setup] the marker is not written:', error.message);
	}
}

function refuse(error, status) {
	return json({ error }, { status });
}
