// The body of a write: JSON, or a form whose files become assets of the project.
import { PROJECTS } from '../pb/projects.js';
import { pb } from '../pb/server.js';

const FILE = '_file:';

export async function fieldsOf(request, projectId) {
	const type = request.headers.get('content-type') || '';
	if (type.includes('multipart/form-data')) return formFields(request, projectId);
	if (type.includes('application/json')) return request.json();
	try {
		return await request.json();
	} catch {
		return formFields(request, projectId);
	}
}

/** `_data` holds JSON, `_file:NAME` files; other fields are JSON or text. */
async function formFields(request, projectId) {
	const fields = {};
	const files = [];
	for (const [name, value] of (await request.formData()).entries()) {
		if (value instanceof File) {
			files.push([name.startsWith(FILE) ? name.slice(FILE.length) : name, value]);
		} else if (name === '_data') {
			Object.assign(fields, parsed(value, {}));
		} else if (!name.startsWith(FILE)) {
			fields[name] = parsed(value, value);
		}
	}
	if (files.length) Object.assign(fields, await upload(projectId, files));
	return fields;
}

function parsed(text, otherwise) {
	try {
		return JSON.parse(text);
	} catch {
		return otherwise;
	}
}

/** Appends files to the project's assets; returns field → stored name, or names. */
async function upload(projectId, files) {
	const before = ((await pb.getOne(PROJECTS, projectId)).assets || []).length;
	const form = new FormData();
	for (const [, file] of files) form.append('assets+', file);
	const stored = ((await pb.update(PROJECTS, projectId, form)).assets || []).slice(before);
	const names = {};
	files.forEach(([field], index) => (names[field] ??= []).push(stored[index]));
	return Object.fromEntries(
		Object.entries(names).map(([field, list]) => [field, list.length === 1 ? list[0] : list])
	);
}
