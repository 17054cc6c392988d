// The agent's routes. There is no agent here: a prompt is stored, and ends with an error.
import { json, unauthorized } from '../kit/answers.js';
import { getProject, updateProject } from '../pb/projects.js';
import { accountOf } from '../pb/server.js';
import { llmSettings } from './settings.js';

const LOGIN = 'Authentication required';
const LIMIT = 100; // prompts a minute and address
const unknown = () => json({ error: 'Project not found' }, { status: 404 });
const running = new Set();
const windows = new Map();

export async function clear({ request }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	return json({ success: true, message: 'Conversation cleared' });
}

/** Shows the beginning of the LLM key to every account: a flaw of tinykit's. */
export async function test({ request }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	const { LLM_PROVIDER, LLM_MODEL, LLM_BASE_URL, LLM_API_KEY } = process.env;
	return json({
		provider: LLM_PROVIDER,
		model: LLM_MODEL,
		baseUrl: LLM_BASE_URL,
		hasApiKey: Boolean(LLM_API_KEY),
		apiKeyLength: LLM_API_KEY?.length,
		apiKeyPreview: `${LLM_API_KEY?.substring(0, 20)}...`
	});
}

export async function GET({ params, request }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	const project = await getProject(params.id);
	return project ? json({ messages: project.agent_chat || [] }) : unknown();
}

export async function DELETE({ params, request }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	try {
		await updateProject(params.id, { agent_chat: [] });
		return json({ success: true });
	} catch (error) {
		if (error.status === 404) return unknown();
		return json({ error: 'Failed to clear agent history' }, { status: 500 });
	}
}

export async function POST({ params, request, clientAddress }) {
	if (!(await accountOf(request))) return unauthorized(LOGIN);
	try {
		const body = await request.json();
		const prompt = body.prompt || lastOfUser(body.messages);
		if (!prompt) return json({ error: 'Prompt is required' }, { status: 400 });
		if (running.has(params.id)) {
			return json({ error: 'Agent is already processing a request' }, { status: 409 });
		}
		const wait = secondsToWait(clientAddress());
		if (wait) {
			const headers = { 'Retry-After': String(wait) };
			const error = `Rate limit exceeded. Try again in ${wait} seconds.`;
			return json({ error }, { status: 429, headers });
		}
		return await start(params.id, prompt);
	} catch (error) {
		const message = `AI service error: ${String(error).slice(0, 200)}`;
		return error.status === 404 ? unknown() : json({ error: message }, { status: 500 });
	}
}

function lastOfUser(messages) {
	if (!Array.isArray(messages)) return '';
	return messages.filter((message) => message.role === 'user').pop()?.content || '';
}

async function start(id, prompt) {
	const project = await getProject(id);
	if (!project) return unknown();
	if (!(await llmSettings())?.api_key) {
		const error = 'AI not configured. Add your API key in Settings.';
		return json({ error }, { status: 500 });
	}
	const timestamp = Date.now();
	const reply = { role: 'assistant', content: '', stream_items: [], status: 'running', timestamp };
	const chat = [...(project.agent_chat || []), { role: 'user', content: prompt, timestamp }, reply];
	await updateProject(id, { agent_chat: chat, agent_status: 'running' });
	running.add(id);
	Object.assign(reply, { status: 'error', error: 'The contract app has no agent.' });
	updateProject(id, { agent_chat: chat, agent_status: 'error' })
		.catch(console.error)
		.finally(() => running.delete(id));
	return json({ started: true, status: 'running' });
}

function secondsToWait(address) {
	const now = Date.now();
	const window = windows.get(address);
	if (!window || now > window.end) {
		windows.set(address, { count: 1, end: now + 60_000 });
		return 0;
	}
	window.count += 1;
	return window.count > LIMIT ? Math.ceil((window.end - now) / 1000) : 0;
}
