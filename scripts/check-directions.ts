// Fails when a workspace package depends on one that the arrows do not allow (docs/architecture.md, "The packages").
// pnpm's strict node_modules makes an undeclared import impossible, so the manifests are the whole truth.
import { readFileSync, readdirSync } from 'node:fs'
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
  docker: ['schema', 'core', 'nvidia-smi-parser'],
  gateway: ['schema', 'core', 'store', 'blobs', 'kit'],
  scaler: ['schema', 'core', 'store', 'docker', 'kit', 'nvidia-smi-parser'],
  agent: ['schema', 'core'],
  cli: ['schema', 'core', 'kit', 'client', 'docker', 'store'],
}

interface Manifest {
  dependencies?: Record<string, string>
}

const root = join(import.meta.dirname, '..')
const wrong = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(root, group)).flatMap((name) => {
    const manifest = JSON.parse(readFileSync(join(root, group, name, 'package.json'), 'utf8')) as Manifest
    const allowed = ALLOWED[name]
    if (allowed === undefined) return [`${group}/${name} is not in the table of scripts/check-directions.ts`]
    return Object.keys(manifest.dependencies ?? {})
      .filter((dependency) => dependency.startsWith('@runyard/') && !allowed.includes(dependency.slice('@runyard/'.length)))
      .map((dependency) => `${group}/${name} must not depend on ${dependency}`)
  }),
)

for (const line of wrong) process.stderr.write(`${line}\n`)
process.exitCode = wrong.length === 0 ? 0 : 1
