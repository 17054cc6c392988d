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

export function go(address) {
	location.assign(address);
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
