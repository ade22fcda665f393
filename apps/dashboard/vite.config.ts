// The page as static files with hashed names. Addresses in them are relative, so that the page works below any path.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const COMPRESS = { br: promisify(brotliCompress), gz: promisify(gzip) }

/** A compressed copy beside each file, so that the gateway compresses nothing. */
function compressAssets(): Plugin {
  let directory = ''
  return {
    name: 'compress-assets',
    apply: 'build',
    configResolved({ root, build }) {
      directory = join(root, build.outDir, build.assetsDir)
    },
    async closeBundle() {
      const names = await readdir(directory)
      const compressed = names.flatMap((name) =>
        Object.entries(COMPRESS).map(async ([ending, compress]) => {
          const path = join(directory, name)
          await writeFile(`${path}.${ending}`, await compress(await readFile(path)))
        }),
      )
      await Promise.all(compressed)
    },
  }
}

/** By the address of a page. */
const FIRST_PAGES: Readonly<Record<string, string>> = {
  '/': 'yard-page',
  '/gpus': 'gpus-page',
  '/jobs': 'jobs-page',
  '/usage': 'usage-page',
  '/failures': 'failures-page',
}

/** Writes which files a page needs beside those of the start, so that the gateway names them in `index.html`: browsers get them with the start, not after it. */
function listFilesOfPages(): Plugin {
  return {
    name: 'list-files-of-pages',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = new Map(Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])))
      const reachedFrom = (names: readonly string[], reached = new Set<string>()): ReadonlySet<string> => {
        for (const name of names) if (!reached.has(name)) reachedFrom(chunks.get(name)?.imports ?? [], reached.add(name))
        return reached
      }
      const start = reachedFrom([...chunks.values()].filter(({ isEntry }) => isEntry).map(({ fileName }) => fileName))
      const filesOf = (page: string): readonly string[] => {
        const own = [...chunks.values()].filter(({ name }) => name === page).map(({ fileName }) => fileName)
        const scripts = [...reachedFrom(own)].filter((name) => !start.has(name))
        return [...scripts, ...scripts.flatMap((name) => [...(chunks.get(name)?.viteMetadata?.importedCss ?? [])])]
      }
      const files = Object.fromEntries(Object.entries(FIRST_PAGES).map(([path, page]) => [path, filesOf(page)]))
      this.emitFile({ type: 'asset', fileName: 'pages.json', source: JSON.stringify(files) })
    },
  }
}

/** Where `pnpm --filter @runyard/dashboard dev` finds a running gateway. */
const GATEWAY = process.env['RUNYARD_URL'] ?? 'http://127.0.0.1:8080'
const API_PATHS = ['/v1', '/v2', '/graphql', '/rest', '/hapi', '/runyard', '/healthz', '/openapi.json', '/docs']

/** Their modules only define things: the thread of previews takes constants of the schema, but no validation. */
const OWN_PACKAGES = /\/packages\/(?:core|schema)\//u

export default defineConfig({
  base: './',
  plugins: [react(), compressAssets(), listFilesOfPages()],
  worker: {
    format: 'es',
    rolldownOptions: { treeshake: { moduleSideEffects: (id) => !OWN_PACKAGES.test(id), manualPureFunctions: ['z'] } },
  },
  build: { target: 'es2024', modulePreload: { polyfill: false }, assetsInlineLimit: 0, reportCompressedSize: false },
  server: { proxy: Object.fromEntries(API_PATHS.map((path) => [path, GATEWAY])) },
})
