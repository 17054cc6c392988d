// The server's own superuser login at PocketBase.
import { Client } from './client.js';
import { isSetUp, readMarker, writeMarker } from './marker.js';

const TRY_EVERY = 5000; // ms between looks for credentials while there is no login

export const pb = new Client();
let loggedIn = false;
let lastTry = 0;

/** Tells whether the server is logged in, after trying to. It trusts a token until it expires. */
export async function ensureLogin() {
	if (loggedIn && pb.hasLiveToken) return true;
	if (loggedIn) {
		loggedIn = false;
		lastTry = 0;
	}
	if (Date.now() - lastTry < TRY_EVERY) return false;
	lastTry = Date.now();
	const { auth_token: token } = readMarker();
	loggedIn = (token && (await useToken(token))) || (await usePassword());
	if (loggedIn) rememberToken();
	return loggedIn;
}

async function useToken(token) {
	pb.token = token;
	try {
		await pb.refresh('_superusers');
		return true;
	} catch {
		console.warn('[PB] the saved token does not work');
		pb.token = '';
		return false;
	}
}

async function usePassword() {
	const { email, password } = credentials();
	if (!email || !password) {
		console.warn('[PB] no credentials: the server needs setup');
		return false;
	}
	try {
		await pb.login('_superusers', email, password);
		return true;
	} catch (error) {
		console.error('[PB] login failed:', error.message);
		return false;
	}
}

/** The marker's, else the environment's. */
function credentials() {
	const { admin_email: email, admin_password: password } = readMarker();
	if (email && password) return { email, password };
	return {
		email: process.env.POCKETBASE_ADMIN_EMAIL,
		password: process.env.POCKETBASE_ADMIN_PASSWORD
	};
}

function rememberToken() {
	if (!isSetUp()) return;
	try {
		writeMarker({ ...readMarker(), auth_token: pb.token });
	} catch {
		// A marker that cannot be written is fine: the credentials are still there next time.
	}
}

/** The account whose Bearer token the request carries, or null. */
export async function accountOf(request) {
	const header = request.headers.get('Authorization');
	if (!header?.startsWith('Bearer ') || header.length <= 7) return null;
	const client = new Client();
	client.token = header.slice(7);
	try {
		return (await client.refresh('users')).record;
	} catch {
		return null;
	}
}
