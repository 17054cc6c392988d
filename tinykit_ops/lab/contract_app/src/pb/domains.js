// Hosts that were asked for and belong to no project are written down for the domain picker.
import { getProjectByDomain, listProjects } from './projects.js';
import { ensureLogin, pb } from './server.js';

const SETTINGS = '_tk_settings';
const KEY = 'available_domains';
const KEPT = 50;

/** Anybody's Host header ends up in the database: a flaw of tinykit's. */
export async function trackUnknownDomain(hostname) {
	if (await getProjectByDomain(hostname)) return;
	const local = hostname === 'localhost' || /^(localhost:|127\.0\.0\.1)|\.local$/.test(hostname);
	if (local || !(await ensureLogin())) return;
	try {
		const known = await knownDomains();
		const now = new Date().toISOString();
		const seen = known.find((domain) => domain.hostname === hostname);
		if (seen) seen.last_seen = now;
		else known.push({ hostname, first_seen: now, last_seen: now });
		known.sort((a, b) => new Date(b.last_seen) - new Date(a.last_seen));
		await pb.update(SETTINGS, KEY, { value: { domains: known.slice(0, KEPT) } });
	} catch (error) {
		console.warn('[PB] a domain was not written down:', error.message);
	}
}

async function knownDomains() {
	try {
		return (await pb.getOne(SETTINGS, KEY)).value?.domains ?? [];
	} catch {
		await pb.create(SETTINGS, { id: KEY, value: { domains: [] } });
		return [];
	}
}

export async function availableDomains() {
	if (!(await ensureLogin())) return [];
	try {
		const { value } = await pb.getOne(SETTINGS, KEY);
		const taken = new Set((await listProjects()).map((project) => project.domain));
		return (value?.domains ?? []).filter(({ hostname }) => !taken.has(hostname));
	} catch {
		return [];
	}
}
