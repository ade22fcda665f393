// The package as npm carries it works alone: built, put beside its one dependency, imported by plain Node and by TypeScript. The fields of
// `publishConfig` take the place of their namesakes, as `pnpm pack` does it.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'

const PACKAGE = join(import.meta.dirname, '..')
const TSC = join(PACKAGE, 'node_modules/typescript/bin/tsc')
const run = (cwd: string, file: string, ...args: string[]): string => execFileSync(file, args, { cwd, encoding: 'utf8', stdio: 'pipe' })

interface Manifest {
  readonly private?: boolean
  readonly dependencies: object
  readonly publishConfig: object
}

it('is usable once it is published', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'nvidia-smi-parser-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const modules = join(folder, 'node_modules')
  const published = join(modules, '@runyard/nvidia-smi-parser')
  mkdirSync(published, { recursive: true })
  run(PACKAGE, process.execPath, TSC, '-p', 'tsconfig.build.json', '--outDir', join(published, 'dist'))
  const manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as Manifest
  writeFileSync(join(published, 'package.json'), JSON.stringify({ ...manifest, ...manifest.publishConfig }))
  symlinkSync(realpathSync(join(PACKAGE, 'node_modules/fast-xml-parser')), join(modules, 'fast-xml-parser'))

  // The example of the README, with a machine of two cards.
  const [, program = ''] = /```ts\n([^]*?)```/.exec(readFileSync(join(PACKAGE, 'README.md'), 'utf8')) ?? []
  const smi = join(folder, 'nvidia-smi')
  writeFileSync(smi, `#!/bin/sh\ncat ${join(PACKAGE, 'fixtures/two-geforce-550.xml')}\n`, { mode: 0o755 })
  writeFileSync(join(folder, 'program.mjs'), program)
  writeFileSync(join(folder, 'program.mts'), program)
  const printed = run(folder, 'env', `PATH=${folder}:${process.env['PATH'] ?? ''}`, process.execPath, 'program.mjs')
    .trim()
    .split('\n')
  expect(printed).toEqual([1, 2].map(() => expect.stringMatching(/^GPU-\S+ NVIDIA GeForce .* \d+ true \[\]$/u) as string))

  symlinkSync(join(PACKAGE, 'node_modules/@types'), join(modules, '@types'))
  run(folder, process.execPath, TSC, '--noEmit', '--strict', '--module', 'nodenext', '--types', 'node', 'program.mts')
  expect(manifest.private).toBeUndefined()
  expect(Object.keys(manifest.dependencies)).toEqual(['fast-xml-parser'])
})
