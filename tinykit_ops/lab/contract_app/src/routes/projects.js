import { json, unauthorized } from '../kit/answers.js';
import { createProject, listProjects } from '../pb/projects.js';
import { accountOf } from '../pb/server.js';
import { findTemplate } from '../templates.js';

const LOGIN = 'Authentication required';

export async function GET({ request }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	try {
		return json(await listProjects());
	} catch {
		return json({ error: 'Failed to list projects' }, { status: 500 });
	}
}

export async function POST({ request, locals }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	try {
		const { name, domain, kit, template_id: templateId } = await request.json();
		if (!name) return json({ error: 'Name is required' }, { status: 400 });
		const { frontend_code, design, content } = findTemplate(templateId) ?? {};
		const place = domain || locals.domain || 'localhost';
		const parts = { frontend_code, design, content };
		return json(await createProject({ name, domain: place, kit, ...parts }));
	} catch (error) {
		console.error('Failed to create project:', error);
		return json({ error: 'Failed to create project' }, { status: 500 });
	}
}
