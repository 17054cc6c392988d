// Tells anybody whether a superuser password is right, and stores it if so: a flaw of tinykit's.
import { json } from '../kit/answers.js';
import { Client } from '../pb/client.js';
import { readMarker, writeMarker } from '../pb/marker.js';

export async function POST({ request }) {
	try {
		const { email, password } = await request.json();
		if (!email || !password) {
			return json({ error: 'Email and password required' }, { status: 400 });
		}
		return json({ ok: true, saved: await save(email, password) });
	} catch {
		return json({ error: 'Failed to process request' }, { status: 500 });
	}
}

async function save(email, password) {
	const pb = new Client();
	try {
		await pb.login('_superusers', email, password);
		writeMarker({
			...readMarker(),
			admin_email: email,
			admin_password: password,
			auth_token: pb.token,
			timestamp: new Date().toISOString()
		});
		return true;
	} catch {
		return false;
	}
}
