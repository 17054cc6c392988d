// Published apps: on their domain, and by id under /tinykit/preview.
import { escapeHtml, html, HttpError, Redirect } from '../kit/answers.js';
import { fileUrl } from '../pb/client.js';
import { isSetUp } from '../pb/marker.js';
import { getProject, getProjectByDomain } from '../pb/projects.js';

/** The app of the Host, for every path that nothing else answers. */
export async function home({ locals }) {
	if (!isSetUp()) throw new Redirect(302, '/setup');
	const project = await getProjectByDomain(locals.domain);
	if (!project) {
		throw new Redirect(302, `/tinykit/new?domain=${encodeURIComponent(locals.domain)}`);
	}
	return (await publishedPage(project)) ?? redirect('/tinykit/studio');
}

export const anyPath = home;

/** Any project for anybody who knows its id: a flaw of tinykit's. */
export async function preview({ params }) {
	const project = await required(params.id);
	return (await publishedPage(project)) ?? html(placeholder(project));
}

export async function previewPath({ params }) {
	const project = await required(params.id);
	const studio = `/tinykit/studio?id=${params.id}&needs_build=true`;
	return (await publishedPage(project)) ?? redirect(studio);
}

async function required(id) {
	const project = await getProject(id);
	if (!project) throw new HttpError(404, 'Project not found');
	return project;
}

/** An app's page goes out as it is, without any security header: a flaw of tinykit's. */
async function publishedPage(project) {
	if (!project.published_html) return null;
	const answer = await fetch(fileUrl(project, project.published_html));
	return answer.ok ? html(await answer.text()) : null;
}

function placeholder({ id, name, domain }) {
	const title = escapeHtml(name || 'Project');
	const address = escapeHtml(domain ? `https://${domain}` : `/tinykit/preview/${id}`);
	return `<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>${title}</title></head>
<body><h1>${title}</h1><p>Not deployed yet</p><p>${address}</p></body></html>`;
}

function redirect(location) {
	throw new Redirect(302, location);
}
