// Projects, as the server's superuser sees them.
import { ensureLogin, pb } from './server.js';

export const PROJECTS = '_tk_projects';
const queues = new Map();

export async function listProjects() {
	if (!(await ensureLogin())) return [];
	const { items } = await pb.list(PROJECTS, { page: 1, perPage: 500 });
	return items.sort((a, b) => new Date(b.updated) - new Date(a.updated));
}

/** A project, or null when it is unknown or the server is not logged in. */
export async function getProject(id) {
	if (!id || !(await ensureLogin())) return null;
	try {
		return await pb.getOne(PROJECTS, id);
	} catch {
		return null;
	}
}

/** The domain goes into the filter as it is: a flaw of tinykit's. */
export async function getProjectByDomain(domain) {
	if (!(await ensureLogin())) return null;
	const filter = `domain = "${domain.toLowerCase().replace(/\/$/, '')}"`;
	try {
		const query = { page: 1, perPage: 1, skipTotal: '1', filter };
		return (await pb.list(PROJECTS, query)).items[0] ?? null;
	} catch {
		return null;
	}
}

/** Null when the server is not logged in. */
export async function createProject({ name, domain, kit, ...parts }) {
	if (!(await ensureLogin())) return null;
	return pb.create(PROJECTS, {
		name,
		domain: domain?.toLowerCase() || '',
		kit: kit || 'custom',
		frontend_code: parts.frontend_code || '',
		backend_code: '',
		design: parts.design || [],
		content: parts.content || [],
		snapshots: [],
		agent_chat: [],
		custom_instructions: '',
		data: {},
		settings: { vibe_zone_enabled: false, project_title: name }
	});
}

/**
 * Updates of one project wait for each other. Throws when the server is not logged in or
 * PocketBase refuses.
 */
export async function updateProject(id, changes) {
	if (!(await ensureLogin())) throw new Error('The server is not logged in to PocketBase.');
	const before = queues.get(id) ?? Promise.resolve();
	const update = before.catch(() => {}).then(() => pb.update(PROJECTS, id, changes));
	queues.set(id, update);
	// Nobody catches what `finally` returns: after a refused update (an unknown id is enough) the
	// client has its answer and then the whole process ends. A flaw of tinykit's.
	update.finally(() => {
		if (queues.get(id) === update) queues.delete(id);
	});
	return update;
}
