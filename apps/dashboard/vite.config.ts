// The page as static files with hashed names. Addresses in them are relative, so that the page works below any path.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Where `pnpm --filter @runyard/dashboard dev` finds a running gateway. */
const GATEWAY = process.env['RUNYARD_URL'] ?? 'http://127.0.0.1:8080'
const API_PATHS = ['/v1', '/v2', '/graphql', '/rest', '/hapi', '/runyard', '/healthz', '/openapi.json', '/docs']

export default defineConfig({
  base: './',
  plugins: [react()],
  build: { target: 'es2024', modulePreload: { polyfill: false }, assetsInlineLimit: 0, reportCompressedSize: false },
  server: { proxy: Object.fromEntries(API_PATHS.map((path) => [path, GATEWAY])) },
})
