// A collection of an app's data: list and create. There is no lock: writes at once lose each other.
import { recordsOf, refuseForeignOrigin, requireProject, withWarnings } from '../data/access.js';
import { fieldsOf } from '../data/body.js';
import { expanded, filtered, paged, sorted } from '../data/query.js';
import { HttpError, json } from '../kit/answers.js';
import { PROJECTS } from '../pb/projects.js';
import { pb } from '../pb/server.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

export async function GET({ params, url }) {
	try {
		const { data } = await requireProject(params.project_id);
		return json(list(params.collection, data || {}, url.searchParams));
	} catch (error) {
		throw hidden(error, 'Failed to list records');
	}
}

function list(collection, data, query) {
	// `in` also finds `__proto__` and `constructor`: a flaw of tinykit's.
	if (!(collection in data)) {
		return { items: [], totalItems: 0, page: 1, perPage: 50, totalPages: 0 };
	}
	const found = filtered(recordsOf(data[collection]), query.get('filter'));
	const expand = query.get('expand');
	const records = sorted(found, query.get('sort'));
	return paged(expand ? records.map((one) => expanded(one, expand, data)) : records, query);
}

export async function POST({ params, request }) {
	const { project_id: id, collection } = params;
	try {
		const project = await requireProject(id);
		refuseForeignOrigin(request, project.domain);
		const body = await fieldsOf(request, id);
		const data = project.data || {};
		// `__proto__` is "in" every object, so that its new key `records` lands on
		// Object.prototype: a flaw of tinykit's.
		if (!(collection in data)) data[collection] = { schema: [], records: [] };
		const target = data[collection];
		if (!target.records) target.records = [];
		const record = { id: body.id || newId(), ...body };
		const answer = withWarnings(record, body, target);
		target.records.push(record);
		await pb.update(PROJECTS, id, { data });
		return json(answer, { status: 201 });
	} catch (error) {
		console.error('[Data] create:', error.message);
		throw hidden(error, 'Failed to create record');
	}
}

/** Every error but 404 becomes a 500, also "Origin not allowed": a flaw of tinykit's. */
function hidden(error, message) {
	return error.status === 404
		? new HttpError(404, 'Project not found')
		: new HttpError(500, message);
}

function newId() {
	return Array.from({ length: 5 }, () => LETTERS[Math.floor(Math.random() * 36)]).join('');
}
