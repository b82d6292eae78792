import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import type { Plugin } from 'vite';

/**
 * KaTeX and Inter list each font in several formats; every browser that runs this page reads
 * woff2, so the others would only make the wheel larger.
 */
function woff2Only(): Plugin {
  return {
    name: 'woff2-only',
    enforce: 'pre',
    transform(code, id) {
      if (!/katex.*\.css$/.test(id)) return null;
      return code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\([^)]*\)/g, '');
    },
  };
}

/** The policy that the real server sends; the preview sends it, too, so that a breach shows early. */
const policy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const server = process.env['STUDYSMART_API'] ?? 'http://127.0.0.1:4008';

export default defineConfig({
  plugins: [react(), woff2Only()],
  build: {
    // The content policy allows fonts and scripts from our own origin only, not data: addresses.
    assetsInlineLimit: 0,
    target: 'es2022',
    // Read by scripts/size.mjs.
    manifest: true,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': { target: server, changeOrigin: false } } },
  preview: {
    proxy: { '/api': { target: server, changeOrigin: false } },
    headers: { 'Content-Security-Policy': policy },
  },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.{ts,tsx}'],
    restoreMocks: true,
  },
});
