// Updates a schema as the superuser for anybody who asks: a flaw of tinykit's.
import { json } from '../kit/answers.js';
import { pb } from '../pb/server.js';

// In PocketBase 0.23 and later `schema` is no longer a key of a collection, so that the fields are
// always missing and the update changes nothing; tinykit sends it all the same.
export async function POST() {
	try {
		const collection = await pb.send('/api/collections/_tk_projects');
		const schema = [...(collection.schema ?? [])];
		const lacks = (name) => !schema.some((field) => field.name === name);
		const added = { built_file: lacks('built_file'), last_built_at: lacks('last_built_at') };
		if (!added.built_file && !added.last_built_at) {
			return json({ success: true, message: 'Fields already exist' });
		}
		if (added.built_file) schema.push({ name: 'built_file', type: 'file' });
		if (added.last_built_at) schema.push({ name: 'last_built_at', type: 'date' });
		const path = `/api/collections/${collection.id}`;
		await pb.send(path, { method: 'PATCH', body: { schema } });
		return json({ success: true, message: 'Migration complete', added });
	} catch (error) {
		const message = error.message || 'Migration failed';
		return json({ success: false, error: message }, { status: 500 });
	}
}
