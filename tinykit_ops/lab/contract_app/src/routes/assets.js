// Uploads of a project, with their own content type on the builder's origin (a flaw of tinykit's).
import { domainOf } from '../hooks.js';
import { HttpError } from '../kit/answers.js';
import { fileUrl } from '../pb/client.js';
import { getProject, getProjectByDomain } from '../pb/projects.js';

const FOREVER = 'public, max-age=31536000, immutable';
const SIZES = {
	'placeholder-avatar.jpg': [200, 200],
	'placeholder-wide.jpg': [320, 180]
};

export async function byHost({ params, url, request }) {
	if (params.filename.startsWith('placeholder')) return placeholder(params.filename);
	return guarded(async () => {
		const id = url.searchParams.get('project_id');
		const project = id ? await getProject(id) : await getProjectByDomain(domainOf(request));
		return asset(project, params.filename, url);
	});
}

export async function byProject({ params, url }) {
	if (params.filename.startsWith('placeholder')) return placeholder(params.filename);
	return guarded(async () => asset(await getProject(params.project_id), params.filename, url));
}

async function guarded(serve) {
	try {
		return await serve();
	} catch (error) {
		if (error.status) throw error;
		throw new HttpError(500, 'Failed to serve asset');
	}
}

async function asset(project, filename, url) {
	if (!project) throw new HttpError(404, 'Project not found');
	if (!(project.assets || []).includes(filename)) throw new HttpError(404, 'Asset not found');
	const thumb = url.searchParams.get('thumb');
	const answer = await fetch(fileUrl(project, filename, thumb ? { thumb } : {}));
	if (!answer.ok) throw new HttpError(answer.status, 'Failed to fetch asset');
	const type = answer.headers.get('content-type') || 'application/octet-stream';
	const headers = { 'Content-Type': type, 'Cache-Control': FOREVER };
	return new Response(answer.body, { headers });
}

/** A grey picture under any name that begins with "placeholder". */
function placeholder(filename) {
	const [width, height] = SIZES[filename] ?? [200, 200];
	const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="#ddd"/></svg>`;
	const headers = { 'Content-Type': 'image/svg+xml', 'Cache-Control': FOREVER };
	return new Response(svg, { headers });
}
