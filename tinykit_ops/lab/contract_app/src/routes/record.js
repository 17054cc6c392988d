// One record of an app's data.
import { recordsOf, refuseForeignOrigin, requireProject, withWarnings } from '../data/access.js';
import { fieldsOf } from '../data/body.js';
import { expanded } from '../data/query.js';
import { HttpError, json } from '../kit/answers.js';
import { PROJECTS } from '../pb/projects.js';
import { pb } from '../pb/server.js';

export async function GET({ params, url }) {
	return guarded('Failed to get record', async () => {
		const { data } = await requireProject(params.project_id);
		const { records, index } = find(data || {}, params);
		const expand = url.searchParams.get('expand');
		return json(expand ? expanded(records[index], expand, data) : records[index]);
	});
}

export async function PATCH({ params, request }) {
	return guarded('Failed to update record', async () => {
		const project = await requireProject(params.project_id);
		refuseForeignOrigin(request, project.domain);
		const changes = await fieldsOf(request, params.project_id);
		const data = project.data || {};
		const { records, index } = find(data, params);
		const answer = { ...records[index], ...changes, id: records[index].id };
		const warned = withWarnings(answer, changes, data[params.collection]);
		records[index] = answer;
		await save(params, data, records);
		return json(warned);
	});
}

export async function DELETE({ params, request }) {
	return guarded('Failed to delete record', async () => {
		const project = await requireProject(params.project_id);
		refuseForeignOrigin(request, project.domain);
		const data = project.data || {};
		const { records, index } = find(data, params);
		records.splice(index, 1);
		await save(params, data, records);
		return new Response(null, { status: 204 });
	});
}

async function guarded(message, work) {
	try {
		return await work();
	} catch (error) {
		if (error.status) throw error;
		throw new HttpError(500, message);
	}
}

/** `in` also finds `__proto__` and `constructor`: a flaw of tinykit's. */
function find(data, { collection, id }) {
	if (!(collection in data)) throw new HttpError(404, 'Collection not found');
	const records = recordsOf(data[collection]);
	const index = records.findIndex((record) => String(record.id) === id);
	if (index < 0) throw new HttpError(404, 'Record not found');
	return { records, index };
}

async function save({ project_id: id, collection }, data, records) {
	const old = data[collection];
	data[collection] = Array.isArray(old) ? { schema: [], records } : { ...old, records };
	await pb.update(PROJECTS, id, { data });
}
