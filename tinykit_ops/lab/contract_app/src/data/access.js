// Who may write an app's data: everybody whose Origin *begins* with the app's (a flaw of tinykit's).
import { HttpError } from '../kit/answers.js';
import { getProject } from '../pb/projects.js';

const DEVELOPMENT = ['http://localhost:5173', 'http://127.0.0.1:5173'];

export async function requireProject(id) {
	const project = await getProject(id);
	if (!project) throw new HttpError(404, 'Project not found');
	return project;
}

export function refuseForeignOrigin(request, domain) {
	const origin = request.headers.get('origin');
	if (!origin || !domain) return;
	const allowed = [`https://${domain}`, `http://${domain}`, ...DEVELOPMENT];
	if (!allowed.some((start) => origin.startsWith(start))) {
		throw new HttpError(403, 'Origin not allowed');
	}
}

/** The records of a collection in either of its two shapes. */
export function recordsOf(collection) {
	if (Array.isArray(collection?.records)) return collection.records;
	return Array.isArray(collection) ? collection : [];
}

/** Names that a collection's schema does not have, as a warning; nothing is refused. */
export function withWarnings(record, fields, collection) {
	const known = new Set((collection?.schema || []).map((field) => field.name));
	const unknown = Object.keys(fields).filter((name) => name !== 'id' && !known.has(name));
	if (!unknown.length) return record;
	return { ...record, _warnings: [`Unknown field(s) not in schema: ${unknown.join(', ')}`] };
}
