// Server-sent events of a project's data: the whole data, to anybody (a flaw of tinykit's).
import { PROJECTS } from '../pb/projects.js';
import { watchProject } from '../pb/realtime.js';
import { pb } from '../pb/server.js';

const PING_EVERY = 30_000; // ms

export async function GET({ params }) {
	try {
		await pb.getOne(PROJECTS, params.project_id);
	} catch {
		return new Response('Project not found', { status: 404 });
	}
	const headers = {
		'Content-Type': 'text/event-stream',
		'Cache-Control': 'no-cache',
		Connection: 'keep-alive'
	};
	return new Response(events(params.project_id), { headers });
}

function events(id) {
	const encoder = new TextEncoder();
	let stop = () => {};
	return new ReadableStream({
		async start(stream) {
			const say = (text) => {
				try {
					stream.enqueue(encoder.encode(text));
				} catch {
					stop();
				}
			};
			say('event: connected\ndata: {}\n\n');
			try {
				const unwatch = await watchProject(id, ({ data }) => {
					if (data) say(`event: data_updated\ndata: ${JSON.stringify(data)}\n\n`);
				});
				const ping = setInterval(() => say(': ping\n\n'), PING_EVERY);
				stop = () => {
					clearInterval(ping);
					unwatch();
				};
			} catch {
				say('event: error\ndata: {"message": "Failed to subscribe"}\n\n');
				stream.close();
			}
		},
		cancel() {
			stop();
		}
	});
}
