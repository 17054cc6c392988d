// "Building" is copying: src/ and client/ become build/, the layout that adapter-node makes.
import { cpSync, rmSync, writeFileSync } from 'node:fs';

// A blue square, as text, so that the sources are text only.
const FAVICON =
	'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQV' +
	'R42mMwSztDEmIY1TCqYfhqAADNSmgQYSD+RwAAAABJRU5ErkJggg==';

rmSync('build', { recursive: true, force: true });
cpSync('src', 'build', { recursive: true });
cpSync('client', 'build/client', { recursive: true });
writeFileSync('build/client/favicon.png', Buffer.from(FAVICON, 'base64'));
console.log('tinykit-contract-app: copied src/ and client/ to build/');
