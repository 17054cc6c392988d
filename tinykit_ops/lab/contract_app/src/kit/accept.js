/** Which of `types` an Accept header likes best; undefined when it likes none. */
export function preferred(accept, types) {
	const wishes = accept
		.split(',')
		.map((wish, position) => {
			const found = /^\s*([^/\s]+)\/([^;\s]+)\s*(?:;\s*q=([0-9.]+))?/.exec(wish);
			if (!found) return null;
			const [, type, subtype, quality = '1'] = found;
			const width = (subtype === '*' ? 2 : 0) + (type === '*' ? 1 : 0);
			return { type, subtype, quality: Number(quality), width, position };
		})
		.filter(Boolean)
		.sort((a, b) => b.quality - a.quality || a.width - b.width || a.position - b.position);
	const rank = (mime) => {
		const [type, subtype] = mime.split('/');
		const place = wishes.findIndex(
			(wish) => [type, '*'].includes(wish.type) && [subtype, '*'].includes(wish.subtype)
		);
		return place < 0 ? Infinity : place;
	};
	const best = [...types].sort((a, b) => rank(a) - rank(b))[0];
	return rank(best) === Infinity ? undefined : best;
}
