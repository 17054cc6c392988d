// One project: code, preview, publish, uploads, export, agent, domain.
import { api, openApi } from './api.js';
import { button, element, field, form, say, show } from './dom.js';
import { auth, projects } from './pocketbase.js';
import { appPage } from './app-page.js';

// With these flags a previewed app runs on the builder's origin and can leave its sandbox: a flaw
// of tinykit's.
const SANDBOX = 'allow-scripts allow-forms allow-modals allow-popups allow-same-origin';

export async function studioPage({ project_id: id }) {
	let project = await projects.get(id);
	api('/api/settings?key=vibe_zone').catch(() => {});
	const code = element('textarea', { id: 'code', rows: 12, cols: 80, value: project.frontend_code });
	const preview = element('iframe', { id: 'preview', title: 'Preview', sandbox: SANDBOX });
	const data = element('pre', { id: 'data' });
	const draw = () => {
		preview.srcdoc = appPage(project);
		data.textContent = JSON.stringify(project.data, null, 1);
	};
	const update = async (changes) => {
		project = await projects.update(id, changes);
		draw();
	};
	show(
		element('h1', {}, project.name || id),
		element('p', {}, element('a', { href: `/tinykit/preview/${id}` }, 'Open preview')),
		code,
		element(
			'p',
			{},
			button('save', 'Save', () => update({ frontend_code: code.value })),
			button('publish', 'Publish', () => publish(project)),
			button('export', 'Export', () => download(project))
		),
		domainForm(project, update),
		uploadField(id),
		agentForm(id),
		data,
		preview
	);
	draw();
	projects.watch(id, (record) => {
		project = record;
		draw();
	});
}

async function publish(project) {
	const body = { html: appPage(project) };
	await api(`/api/projects/${project.id}/build`, { method: 'POST', body });
	say('Published');
}

/** tinykit sends no token here. */
async function download(project) {
	const value = await openApi(`/api/projects/${project.id}/export`);
	const blob = new Blob([JSON.stringify(value, null, 2)], { type: 'application/json' });
	const href = URL.createObjectURL(blob);
	const name = `${(project.name || 'project').toLowerCase().replace(/\s+/g, '-')}-export.json`;
	element('a', { href, download: name }).click();
	URL.revokeObjectURL(href);
	say('Exported');
}

function domainForm(project, update) {
	const seen = element('datalist', { id: 'seen' });
	api('/api/domains')
		.then(({ domains }) => {
			seen.append(...domains.map(({ hostname }) => element('option', { value: hostname })));
		})
		.catch(() => {});
	const input = field('Domain', { id: 'domain', name: 'domain', value: project.domain });
	return form('domain-form', 'Save domain', [input, seen], async ({ domain }) => {
		await update({ domain: domain.toLowerCase() });
		say('Domain saved');
	});
}

function uploadField(id) {
	const input = element('input', { id: 'upload', type: 'file', multiple: true });
	input.onchange = async () => {
		const files = new FormData();
		for (const file of input.files) files.append('assets+', file);
		try {
			const { assets } = await projects.update(id, files);
			say(`Uploaded ${assets.at(-1)}`);
		} catch (error) {
			say(error.message);
		}
	};
	return element('p', {}, 'Upload ', input);
}

function agentForm(id) {
	const input = field('Prompt', { id: 'prompt', name: 'prompt' });
	return form('agent', 'Send', [input], async ({ prompt }) => {
		const body = { prompt, display_prompt: prompt };
		const { status } = await api(`/api/projects/${id}/agent`, { method: 'POST', body });
		say(`Agent: ${status} (${auth.stored.record?.email})`);
	});
}
