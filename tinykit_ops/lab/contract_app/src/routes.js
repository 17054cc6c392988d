// The route table, in SvelteKit's order of matching.
import { HttpError, Redirect } from './kit/answers.js';
import * as agent from './routes/agent.js';
import * as assets from './routes/assets.js';
import * as credentials from './routes/credentials.js';
import * as domains from './routes/domains.js';
import * as migrate from './routes/migrate.js';
import * as project from './routes/project.js';
import * as projects from './routes/projects.js';
import * as proxy from './routes/proxy.js';
import * as published from './routes/published.js';
import * as realtime from './routes/realtime.js';
import * as record from './routes/record.js';
import * as records from './routes/records.js';
import * as settings from './routes/settings.js';
import * as setup from './routes/setup.js';
import * as templates from './routes/templates.js';
import * as validate from './routes/validate.js';

const studioData = ({ url, locals }) => ({
	project_id: url.searchParams.get('id') || null,
	domain: locals.domain
});
const newData = ({ url, locals }) => ({
	domain: url.searchParams.get('domain') || locals.domain
});
function toStudio({ url, params }) {
	const tab = url.searchParams.get('tab');
	throw new Redirect(302, `/tinykit/studio?id=${params.id}${tab ? `&tab=${tab}` : ''}`);
}

const TABLE = [
	['/', { GET: published.home }],
	['/_tk/assets/:filename', { GET: assets.byHost }],
	['/_tk/assets/:project_id/:filename', { GET: assets.byProject }],
	['/_tk/data/:project_id/:collection', { GET: records.GET, POST: records.POST }],
	['/_tk/data/:project_id/:collection/:id', { ...record }],
	['/_tk/realtime/:project_id', { GET: realtime.GET }],
	['/api/agent/clear', { POST: agent.clear }],
	['/api/agent/test', { GET: agent.test }],
	['/api/auth/save-server-credentials', { POST: credentials.POST }],
	['/api/domains', { GET: domains.GET }],
	['/api/migrate-build-fields', { POST: migrate.POST }],
	['/api/projects', { GET: projects.GET, POST: projects.POST }],
	['/api/projects/:id/agent', { GET: agent.GET, POST: agent.POST, DELETE: agent.DELETE }],
	['/api/projects/:id/build', { POST: project.build }],
	['/api/projects/:id/export', { GET: project.exported }],
	['/api/projects/:id/templates', { POST: project.applyTemplate }],
	['/api/proxy', { GET: proxy.GET, OPTIONS: proxy.OPTIONS }],
	['/api/settings', { GET: settings.GET, POST: settings.POST }],
	['/api/settings/llm-status', { GET: settings.llmStatus }],
	['/api/settings/validate-llm', { POST: validate.POST }],
	['/api/setup', { GET: setup.GET, POST: setup.POST }],
	['/api/templates', { GET: templates.list }],
	['/api/templates/:id', { GET: templates.one }],
	['/login', page('login', 'Login - tinykit', 1)],
	['/setup', page('setup', 'Setup - tinykit', 1)],
	['/tinykit', page('dashboard', '', 2)],
	['/tinykit/new-kit', page('new', '', 2)],
	['/tinykit/new', page('new', '', 2, newData, ['domain'])],
	['/tinykit/preview/:id', { GET: published.preview }],
	['/tinykit/preview/:id/*path', { GET: published.previewPath }],
	['/tinykit/settings', page('settings', '', 2)],
	['/tinykit/studio', page('studio', '', 2, studioData, ['id'])],
	['/tinykit/:id', page('studio', '', 2, toStudio, ['tab'])],
	['/*path', { GET: published.anyPath }]
].map(([path, what]) => ({ pattern: toPattern(path), ...(what.page ? what : { handlers: what }) }));

function page(name, title, layouts, load, searchParams) {
	return { page: { name, title, layouts, load, searchParams } };
}

/** A `:name` is one segment, `*name` is the rest, and one slash at the end does not matter. */
function toPattern(path) {
	if (path === '/') return /^\/$/;
	const body = path
		.replace(/:(\w+)/g, '(?<$1>[^/]+?)')
		.replace(/\/\*(\w+)/, '(?:/(?<$1>[^]*))?');
	return new RegExp(`^${body}/?$`);
}

/** The first route that matches a decoded path, and its parameters. */
export function findRoute(path) {
	for (const route of TABLE) {
		const found = route.pattern.exec(path);
		if (!found) continue;
		const params = {};
		for (const [name, value] of Object.entries(found.groups ?? {})) {
			params[name] = decodeURIComponent(value ?? '');
		}
		return { route, params };
	}
	throw new HttpError(404, 'Not Found');
}
