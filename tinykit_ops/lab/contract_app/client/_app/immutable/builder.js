// The builder's pages: projects, a new project, settings.
import { api } from './api.js';
import { button, element, field, form, go, link, say, show } from './dom.js';
import { auth, kits, projects } from './pocketbase.js';

// A thumbnail's sandbox: a flaw of tinykit's, as in the studio.
const SANDBOX = 'allow-scripts allow-same-origin';

export async function dashboardPage() {
	const list = element('ul', { id: 'projects' });
	const found = await projects.list();
	await kits().catch(() => {});
	for (const project of found) {
		const { id, name, domain } = project;
		const item = element('li', {}, link(`/tinykit/studio?id=${id}`, name || id), ` ${domain}`);
		list.append(item);
		if (project.published_html) item.append(thumbnail(project));
	}
	const logout = button('logout', 'Log out', () => {
		auth.clear();
		return go('/login');
	});
	const create = link('/tinykit/new', 'New project', { id: 'new' });
	const settings = link('/tinykit/settings', 'Settings');
	show(element('h1', {}, 'Projects'), list, create, ' ', settings, ' ', logout);
}

/** PocketBase hands out the published page without a token. */
function thumbnail({ id, published_html: file }) {
	const frame = element('iframe', { title: 'Project preview', sandbox: SANDBOX });
	fetch(`/_pb/api/files/_tk_projects/${id}/${file}`)
		.then(async (answer) => {
			if (answer.ok) frame.srcdoc = await answer.text();
		})
		.catch(() => {});
	return frame;
}

export async function newPage({ domain = '' }) {
	const { configured } = await api('/api/settings/llm-status').catch(() => ({}));
	const fields = [
		field('Name', { id: 'name', name: 'name', required: true }),
		field('Domain', { id: 'domain', name: 'domain', value: domain })
	];
	const create = async ({ name, domain: place }) => {
		const project = await projects.create({
			name,
			domain: place.toLowerCase(),
			kit: 'custom',
			frontend_code: `<h1>${name}</h1>`,
			backend_code: '',
			design: [],
			content: [],
			snapshots: [],
			agent_chat: [],
			custom_instructions: '',
			data: { notes: { schema: [{ name: 'text', type: 'text' }], records: [] } },
			settings: { vibe_zone_enabled: true, project_title: name }
		});
		await go(`/tinykit/studio?id=${project.id}`);
	};
	show(
		element('h1', {}, 'New project'),
		element('p', { id: 'llm' }, configured ? 'AI is configured' : 'AI is not configured'),
		form('create', 'Create', fields, create)
	);
}

export async function settingsPage() {
	const { value } = await api('/api/settings?key=llm');
	const fields = [
		field('Provider', { id: 'provider', name: 'provider', value: value?.provider ?? 'openai' }),
		field('Model', { id: 'model', name: 'model', value: value?.model ?? '' }),
		field('Base URL', { id: 'base_url', name: 'base_url', value: value?.base_url ?? '' }),
		field(`API key (${value?.api_key || 'none'})`, { id: 'api_key', name: 'api_key' })
	];
	const save = async ({ provider, model, base_url: base, api_key: key }) => {
		const llm = { provider, model, base_url: base || null, ...(key ? { api_key: key } : {}) };
		await api('/api/settings', { method: 'POST', body: { key: 'llm', value: llm } });
		say('Saved');
	};
	const test = button('test', 'Test key', async () => {
		const provider = document.getElementById('provider').value;
		const key = document.getElementById('api_key').value;
		const body = { provider, api_key: key };
		const { valid, error } = await api('/api/settings/validate-llm', { method: 'POST', body });
		say(valid ? 'The key works' : error);
	});
	show(element('h1', {}, 'Settings'), form('settings', 'Save', fields, save), test);
}
