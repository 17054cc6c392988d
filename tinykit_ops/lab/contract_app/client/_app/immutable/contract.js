// The pages' script: what tinykit's pages do, with as little around it as possible.
import { go, say, show } from './dom.js';
import { dashboardPage, newPage, settingsPage } from './builder.js';
import { loginPage, setupPage } from './entrance.js';
import { stillLoggedIn } from './pocketbase.js';
import { studioPage } from './studio.js';

const OPEN = { login: loginPage, setup: setupPage };
const BEHIND_LOGIN = {
	dashboard: dashboardPage,
	new: newPage,
	settings: settingsPage,
	studio: studioPage
};

async function start() {
	const name = document.body.dataset.page;
	const data = JSON.parse(document.getElementById('page-data').textContent);
	if (OPEN[name]) return OPEN[name](data);
	if (!(await stillLoggedIn())) return go('/login');
	return BEHIND_LOGIN[name](data);
}

start().catch((error) => {
	show();
	say(error.message);
});
