// Fails when a workspace package depends on one that the layering does not allow (docs/architecture.md, "The packages").
// pnpm's strict node_modules makes an undeclared import impossible, so checking the manifests is sufficient.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ALLOWED: Record<string, readonly string[]> = {
  schema: [],
  'nvidia-smi-parser': [],
  core: ['schema'],
  kit: ['schema'],
  client: ['schema'],
  testing: ['schema', 'core'],
  store: ['schema', 'core'],
  blobs: ['schema'],
  'host-gpus': ['schema', 'nvidia-smi-parser'],
  'host-docker': ['schema', 'core', 'kit', 'host-gpus'],
  'host-process': ['schema', 'core', 'kit', 'host-gpus'],
  hosts: ['schema', 'kit', 'host-docker', 'host-process'],
  gateway: ['schema', 'core', 'store', 'blobs', 'kit'],
  scaler: ['schema', 'core', 'store', 'hosts', 'kit'],
  agent: ['schema', 'core'],
  cli: ['schema', 'core', 'kit', 'client', 'hosts', 'host-gpus', 'store'],
}

interface Manifest {
  readonly name: string
  readonly dependencies?: Record<string, string>
}

const SCOPE = '@runyard/'
const root = join(import.meta.dirname, '..')
const wrong = globSync('{apps,packages,packages/hosts}/*/package.json', { cwd: root }).flatMap((path) => {
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
  const allowed = ALLOWED[name.slice(SCOPE.length)]
  if (allowed === undefined) return [`${path}: ${name} is not in the table of scripts/check-directions.ts`]
  return Object.keys(dependencies)
    .filter((dependency) => dependency.startsWith(SCOPE) && !allowed.includes(dependency.slice(SCOPE.length)))
    .map((dependency) => `${path}: ${name} must not depend on ${dependency}`)
})

for (const line of wrong) process.stderr.write(`${line}\n`)
process.exitCode = wrong.length === 0 ? 0 : 1
