// The file whose existence means "setup is done", and which holds secrets in plain text, as in
// tinykit. Its place is relative to the working directory.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export const MARKER = './pocketbase/pb_data/.setup_complete';

export function isSetUp() {
	return existsSync(MARKER);
}

/** The marker's content; {} when it is missing or no JSON object. */
export function readMarker() {
	try {
		return JSON.parse(readFileSync(MARKER, 'utf-8')) ?? {};
	} catch {
		return {};
	}
}

/** Throws when it cannot be written. */
export function writeMarker(content) {
	writeFileSync(MARKER, JSON.stringify(content), { mode: 0o600 });
}
