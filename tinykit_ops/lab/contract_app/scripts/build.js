// "Building" is copying: src/ and client/ become build/, the layout that adapter-node makes.
import { cpSync, rmSync } from 'node:fs';

rmSync('build', { recursive: true, force: true });
cpSync('src', 'build', { recursive: true });
cpSync('client', 'build/client', { recursive: true });
console.log('tinykit-contract-app: copied src/ and client/ to build/');
