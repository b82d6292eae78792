// Measures what a browser fetches for the practice route on a first visit: scripts and styles,
// compressed, the typesetter included; fonts are listed apart, as the browser picks them by need.
// The aim is 200 kB; React, the router and KaTeX alone are 150 of them, and it is not reached yet.
// Fails above what is reached, so that it at least does not grow.
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const AIM = 200_000;
const BUDGET = 226_000;
const DIST = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', DIST), 'utf8'));

/** A chunk, all it imports at once, and their styles. */
function files(name, found = new Set()) {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`${name} is not in the build`);
  if (found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const style of chunk.css ?? []) found.add(style);
  for (const inner of chunk.imports ?? []) files(inner, found);
  return found;
}

const needed = new Set();
for (const name of ['index.html', 'src/practice/Practice.tsx', 'src/text/typeset.ts']) files(name, needed);

let brotli = 0;
let gzip = 0;
for (const file of needed) {
  const bytes = readFileSync(new URL(file, DIST));
  const size = brotliCompressSync(bytes).length;
  brotli += size;
  gzip += gzipSync(bytes, { level: 9 }).length;
  console.log(`${String(size).padStart(8)}  ${file}`);
}
console.log(`practice route, ${needed.size} files: ${brotli} bytes with brotli, ${gzip} with gzip; aim ${AIM}, limit ${BUDGET}`);
if (brotli > BUDGET) process.exitCode = 1;
