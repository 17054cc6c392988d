// The pages before login.
import { openApi } from './api.js';
import { field, form, go, show } from './dom.js';
import { login } from './pocketbase.js';

const email = () => field('Email', { id: 'email', name: 'email', type: 'email', required: true });
const password = (id, label) =>
	field(label, { id, name: id, type: 'password', required: true });

export async function loginPage() {
	const { needs_setup: unclaimed } = await openApi('/api/setup').catch(() => ({}));
	if (unclaimed) return go('/setup');
	show(
		form('login', 'Sign in', [email(), password('password', 'Password')], async (values) => {
			await login(values.email, values.password);
			// Whether these are also the server's superuser's: tinykit does not wait for the answer.
			const body = { email: values.email, password: values.password };
			openApi('/api/auth/save-server-credentials', { method: 'POST', body }).catch(() => {});
			go('/tinykit');
		})
	);
}

export async function setupPage() {
	const { needs_setup: unclaimed } = await openApi('/api/setup').catch(() => ({}));
	if (unclaimed === false) return go('/login');
	const fields = [
		email(),
		password('password', 'Password'),
		password('confirm_password', 'Confirm password'),
		field('LLM API key', { id: 'llm_api_key', name: 'llm_api_key' })
	];
	show(
		form('setup', 'Complete setup', fields, async (values) => {
			if (values.password !== values.confirm_password) throw new Error('Passwords do not match');
			const llm = values.llm_api_key
				? { provider: 'gemini', api_key: values.llm_api_key, model: 'gemini' }
				: null;
			const body = { email: values.email, password: values.password, llm };
			await openApi('/api/setup', { method: 'POST', body });
			await login(values.email, values.password);
			go('/tinykit');
		})
	);
}
