// Writes docs/configuration.md from the configuration schema; with --check, fails if the file on disk is out of date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, listSettings } from '../packages/kit/src/index.ts'

const FILE = join(import.meta.dirname, '..', 'docs', 'configuration.md')

const HEAD = `# Configuration

Every setting has a default; \`./runyard up\` needs no file. Settings come from \`runyard.yaml\` in the working
directory, or from the file in \`RUNYARD_CONFIG\`. An environment variable overrides its setting.
\`./runyard config\` prints the effective values and the source of each.

This page is generated from the schema (\`node scripts/write-config-docs.ts\`).

| key | variable | default | meaning |
|---|---|---|---|
`

const { config: defaults } = await loadConfig({ env: {}, cwd: '/' })

const cell = (value: unknown): string => (value === undefined ? '–' : `\`${JSON.stringify(value).replaceAll('|', '\\|')}\``)

const valueAt = (path: readonly string[]): unknown =>
  path.reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], defaults)

const rows = listSettings().map(({ key, variable, path, help }) => `| \`${key}\` | \`${variable}\` | ${cell(valueAt(path))} | ${help} |`)
const text = `${HEAD}${rows.join('\n')}\n`

if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== text) {
    process.stderr.write('docs/configuration.md is out of date: run node scripts/write-config-docs.ts\n')
    process.exitCode = 1
  }
} else {
  writeFileSync(FILE, text)
}
