// Two templates, under ids that tinykit has too. Their code is HTML: there is no compiler here.
const color = { id: 'accent', name: 'Accent', css_var: '--accent', value: '#36c', type: 'color' };
const title = (value) => ({ id: 'title', name: 'Title', type: 'text', value });

const ENTRY = ['name', 'message', 'website', 'location', 'approved', 'created_at'];

export const TEMPLATES = [
	{
		id: 'waitlist',
		name: 'Waitlist',
		description: 'Collects addresses (contract app)',
		preview: 'lucide:list',
		tags: ['launch'],
		kits: ['launch'],
		frontend_code: '<h1>Waitlist</h1>\n<form id="join"><input name="email" /></form>\n',
		design: [{ ...color, description: 'Colour of buttons' }],
		content: [{ ...title('Waitlist'), description: 'Page title' }],
		data: { entries: { schema: [{ name: 'email', type: 'text' }], records: [] } },
		archetype: 'form'
	},
	{
		id: 'guestbook',
		name: 'Guestbook',
		description: 'Visitors leave messages (contract app)',
		preview: 'lucide:book',
		tags: ['personal-site'],
		kits: ['personal-site'],
		frontend_code: '<h1>Guestbook</h1>\n<ul id="entries"></ul>\n',
		design: [{ ...color, description: 'Colour of links' }],
		content: [{ ...title('Guestbook'), description: 'Page title' }],
		data: {
			entries: {
				icon: 'lucide:book',
				schema: ENTRY.map((name) => ({ name, type: 'text' })),
				records: [
					{
						id: 'e0001',
						name: 'Ada',
						message: 'A nice place.',
						website: '',
						location: 'London',
						approved: true,
						created_at: '2026-01-01T00:00:00Z'
					}
				]
			}
		},
		archetype: 'app'
	}
];

export function findTemplate(id) {
	return TEMPLATES.find((template) => template.id === id);
}
