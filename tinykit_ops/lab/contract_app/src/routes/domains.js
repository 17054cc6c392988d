import { json, unauthorized } from '../kit/answers.js';
import { availableDomains } from '../pb/domains.js';
import { accountOf } from '../pb/server.js';

export async function GET({ request }) {
	if (!(await accountOf(request))) return unauthorized();
	return json({ domains: await availableDomains() });
}
