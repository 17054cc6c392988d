// Filter, sort, expand and page, all in memory.
import { recordsOf } from './access.js';

const COMPARE = {
	'=': (a, b) => a === b,
	'!=': (a, b) => a !== b,
	'>': (a, b) => a > b,
	'<': (a, b) => a < b,
	'>=': (a, b) => a >= b,
	'<=': (a, b) => a <= b
};

/** `field = "value" && other > 3`; what cannot be read is left out. */
export function filtered(records, filter) {
	if (!filter) return records;
	const conditions = filter
		.split('&&')
		.map((part) => /^(\w+)\s*(=|!=|>|<|>=|<=)\s*(.+)$/.exec(part.trim()))
		.filter(Boolean)
		.map(([, field, sign, value]) => [field, COMPARE[sign], literal(value.trim())]);
	return records.filter((record) =>
		conditions.every(([field, holds, value]) => holds(record[field], value))
	);
}

function literal(word) {
	const quote = word[0];
	if ((quote === '"' || quote === "'") && word.endsWith(quote)) return word.slice(1, -1);
	const names = { true: true, false: false, null: null };
	if (Object.hasOwn(names, word)) return names[word];
	return Number.isNaN(Number(word)) ? word : Number(word);
}

/** `name,-age`: a minus sorts downwards. */
export function sorted(records, sort) {
	if (!sort) return records;
	const keys = sort.split(',').map((key) => {
		const name = key.trim();
		return name.startsWith('-') ? [name.slice(1), -1] : [name, 1];
	});
	return [...records].sort((a, b) => {
		for (const [name, direction] of keys) {
			if (a[name] < b[name]) return -direction;
			if (a[name] > b[name]) return direction;
		}
		return 0;
	});
}

/** Adds `expand_FIELD`, the record of collection FIELDs that the field names. */
export function expanded(record, expand, data) {
	const copy = { ...record };
	for (const field of expand.split(',').map((name) => name.trim())) {
		const name = field.replace(/_id$/, '');
		const target = data[name.endsWith('s') ? name : `${name}s`];
		const related = record[field]
			? recordsOf(target).find((other) => other.id === record[field])
			: undefined;
		if (related) copy[`expand_${field}`] = related;
	}
	return copy;
}

export function paged(records, query) {
	const page = Math.max(1, Number.parseInt(query.get('page') || '1', 10));
	const wished = Number.parseInt(query.get('perPage') || '50', 10);
	const perPage = Math.min(100, Math.max(1, wished));
	const start = (page - 1) * perPage;
	return {
		items: records.slice(start, start + perPage),
		totalItems: records.length,
		page,
		perPage,
		totalPages: Math.ceil(records.length / perPage)
	};
}
