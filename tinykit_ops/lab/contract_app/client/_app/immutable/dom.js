// A few helpers to make small pages.

/** element('button', { id: 'x', onclick }, 'Save') */
export function element(name, properties = {}, ...children) {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(properties)) {
		if (key in node) node[key] = value;
		else node.setAttribute(key, value);
	}
	node.append(...children);
	return node;
}

export function field(label, properties) {
	return element('p', {}, element('label', {}, `${label} `, element('input', properties)));
}

export function button(id, label, onclick) {
	return element('button', { id, type: 'button', onclick: reporting(onclick) }, label);
}

/** A form whose submit calls `send` with its values by name. */
export function form(id, label, fields, send) {
	const node = element('form', { id }, ...fields, element('button', { type: 'submit' }, label));
	node.onsubmit = reporting(async (event) => {
		event.preventDefault();
		await send(Object.fromEntries(new FormData(node)));
	});
	return node;
}

export function show(...nodes) {
	const app = document.getElementById('app');
	app.replaceChildren(...nodes, element('p', { id: 'message', role: 'status' }));
}

export function say(text) {
	document.getElementById('message').textContent = text;
}

// Pages whose server part tinykit's router asks for before it shows them.
const WITH_DATA = ['/tinykit/studio', '/tinykit/new'];

export async function go(address) {
	const { pathname, searchParams } = new URL(address, location.href);
	if (WITH_DATA.includes(pathname)) {
		searchParams.set('x-sveltekit-invalidated', '001');
		await fetch(`${pathname}/__data.json?${searchParams}`).catch(() => {});
	}
	location.assign(address);
}

/** A link that goes the router's way. */
export function link(address, text, properties = {}) {
	const node = element('a', { href: address, ...properties }, text);
	node.onclick = (event) => {
		event.preventDefault();
		go(address);
	};
	return node;
}

function reporting(work) {
	return async (event) => {
		try {
			await work(event);
		} catch (error) {
			say(error.message);
		}
	};
}
