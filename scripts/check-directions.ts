// Fails when a workspace package depends on one that the layering does not allow (docs/architecture.md, "The packages").
// pnpm's strict node_modules makes an undeclared import impossible, so checking the manifests is sufficient.
// Also fails when a folder of an app imports a later folder of its order, or one of the files next to the folders, which compose them (ADR 49),
// and when test support is among production sources.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { misplacedTestSupport } from './test-support.ts'

const ALLOWED: Record<string, readonly string[]> = {
  schema: [],
  'nvidia-smi-parser': [],
  core: ['schema'],
  kit: ['schema'],
  monitoring: ['core'],
  client: ['schema'],
  testing: ['schema', 'core'],
  store: ['schema', 'core'],
  blobs: ['schema'],
  'host-gpus': ['schema', 'nvidia-smi-parser'],
  'host-docker': ['schema', 'core', 'kit', 'host-gpus'],
  'host-process': ['schema', 'core', 'kit', 'host-gpus'],
  hosts: ['schema', 'kit', 'host-docker', 'host-process'],
  gateway: ['schema', 'core', 'store', 'blobs', 'kit'],
  scaler: ['schema', 'core', 'store', 'blobs', 'hosts', 'kit'],
  agent: ['schema', 'core'],
  dashboard: ['schema', 'core', 'client'],
  cli: ['schema', 'core', 'kit', 'client', 'hosts', 'host-gpus', 'store'],
}

/** A folder may import the folders before it. */
const FOLDER_ORDERS: Record<string, readonly string[]> = {
  'apps/gateway/src': [
    'http',
    'parts',
    'webhooks',
    'jobs',
    'openai',
    'batch',
    'workers',
    'balancer',
    'observability',
    'login',
    'artifacts',
    'management',
    'history',
    'docs',
    'page',
  ],
}

/** Programs of bundles, threads of the page and build plugins; `index.ts` and the exports of a manifest are entries, too. */
const PROGRAMS = /\/src\/(?:(?:main|index|log-thread-main)\.tsx?|.*\.worker\.ts)$/

interface Manifest {
  readonly name: string
  readonly exports?: Record<string, string>
  readonly dependencies?: Record<string, string>
}

const SCOPE = '@runyard/'
const root = join(import.meta.dirname, '..')
const wrongPackages = globSync('{apps,packages,packages/hosts}/*/package.json', { cwd: root }).flatMap((path) => {
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
  const allowed = ALLOWED[name.slice(SCOPE.length)]
  if (allowed === undefined) return [`${path}: ${name} is not in the table of scripts/check-directions.ts`]
  return Object.keys(dependencies)
    .filter((dependency) => dependency.startsWith(SCOPE) && !allowed.includes(dependency.slice(SCOPE.length)))
    .map((dependency) => `${path}: ${name} must not depend on ${dependency}`)
})

const wrongFolders = Object.entries(FOLDER_ORDERS).flatMap(([source, order]) =>
  globSync('*/**/*.ts', { cwd: join(root, source), exclude: (path) => /^testing$|\.test\.ts$/.test(path) }).flatMap((path) => {
    const folder = path.split('/')[0] ?? ''
    if (!order.includes(folder)) return [`${source}/${folder} is not in the table of scripts/check-directions.ts`]
    const text = readFileSync(join(root, source, path), 'utf8')
    const imported = [...text.matchAll(/ from '(\.[^']+)'/g)].map(([, target = '']) => normalize(join(dirname(path), target)))
    return imported
      .filter(
        (target) => order.indexOf(target.split('/')[0] ?? '') === -1 || order.indexOf(target.split('/')[0] ?? '') > order.indexOf(folder),
      )
      .map((target) => `${source}/${path} must not import ${target}: ${folder} comes before it`)
  }),
)

const sources = globSync('{apps,packages,packages/hosts}/*/src/**/*.{ts,tsx}', { cwd: root })
  .filter((path) => !path.includes('node_modules') && !path.startsWith('packages/testing/'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
const exported = globSync('{apps,packages,packages/hosts}/*/package.json', { cwd: root }).flatMap((path) => {
  const { exports = {} } = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
  return Object.values(exports).map((target) => join(dirname(path), target))
})
const entries = new Set([...exported, ...sources.map(({ path }) => path).filter((path) => PROGRAMS.test(path))])

const wrong = [...wrongPackages, ...wrongFolders, ...misplacedTestSupport(sources, entries)]
for (const line of wrong) process.stderr.write(`${line}\n`)
process.exitCode = wrong.length === 0 ? 0 : 1
