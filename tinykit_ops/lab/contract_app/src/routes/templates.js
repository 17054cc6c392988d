import { HttpError, json, unauthorized } from '../kit/answers.js';
import { accountOf } from '../pb/server.js';
import { findTemplate, TEMPLATES } from '../templates.js';

export async function list({ request }) {
	if (!(await accountOf(request))) return unauthorized('Authentication required');
	return json(TEMPLATES);
}

export async function one({ params }) {
	const template = findTemplate(params.id);
	if (!template) throw new HttpError(404, 'Template not found');
	const { id, name, description, frontend_code: code, design, content, data } = template;
	return json({ id, name, description, code, design, content, data });
}
