// What can be done with one project: publish, export, apply a template.
import { json, unauthorized } from '../kit/answers.js';
import { getProject, PROJECTS, updateProject } from '../pb/projects.js';
import { accountOf, pb } from '../pb/server.js';
import { findTemplate } from '../templates.js';

const LOGIN = 'Authentication required';
const unknown = () => json({ error: 'Project not found' }, { status: 404 });

/** Publishing: the page becomes a file of the project's record. */
export async function build({ params, request }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	try {
		const { html } = await request.json();
		if (!html) return json({ error: 'html is required' }, { status: 400 });
		const form = new FormData();
		form.append('published_html', new Blob([html], { type: 'text/html' }), 'index.html');
		await pb.update(PROJECTS, params.id, form);
		return json({ success: true, size: html.length });
	} catch (error) {
		if (error.status === 404) return unknown();
		const detail = error.response?.data || error.message || String(error);
		const message = `${error.message || error}: ${JSON.stringify(detail)}`;
		return json({ error: message }, { status: 500 });
	}
}

/** Source and data for anybody who knows the id: a flaw of tinykit's. */
export async function exported({ params }) {
	const project = await getProject(params.id);
	if (!project) return unknown();
	const { name, frontend_code, design, content, data, custom_instructions } = project;
	const exported_at = new Date().toISOString();
	return json({ name, frontend_code, design, content, data, custom_instructions, exported_at });
}

export async function applyTemplate({ params, request }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	try {
		const { templateId } = await request.json();
		if (!templateId) return json({ error: 'templateId is required' }, { status: 400 });
		const template = findTemplate(templateId);
		if (!template) return json({ error: 'Template not found' }, { status: 404 });
		const { frontend_code, design = [], content = [], data = {} } = template;
		await updateProject(params.id, { frontend_code, design, content, data });
		return json({ success: true });
	} catch (error) {
		return error.status === 404 ? unknown() : json({ error: String(error) }, { status: 500 });
	}
}
