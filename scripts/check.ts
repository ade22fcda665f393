// `pnpm check`: runs every static check in parallel, so that one failure does not hide the next. Prints one line per check with its time, and
// the output of failed checks.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/** Scripts in package.json; the slowest first. */
const CHECKS = ['types', 'lint', 'dead', 'duplicates', 'rows', 'docs', 'links', 'format', 'directions', 'changesets'].map(
  (name) => `check:${name}`,
)

interface Outcome {
  readonly name: string
  readonly passed: boolean
}

const begun = Date.now()
const waiting = [...CHECKS]
const outcomes: Outcome[] = []
await Promise.all(Array.from({ length: availableParallelism() }, runWaiting))
const failed = outcomes.filter(({ passed }) => !passed).map(({ name }) => name)
process.stdout.write(`${failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`} (${secondsSince(begun)} s)\n`)
process.exitCode = failed.length === 0 ? 0 : 1

async function runWaiting(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) outcomes.push(await run(name))
}

async function run(name: string): Promise<Outcome> {
  const from = Date.now()
  const child = spawn('pnpm', ['run', '--silent', name], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  const passed = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`))
      resolve(false)
    })
    child.once('close', (code) => resolve(code === 0))
  })
  process.stdout.write(`${passed ? '✓' : '✗'} ${name} (${secondsSince(from)} s)\n`)
  if (!passed) process.stdout.write(Buffer.concat(output))
  return { name, passed }
}

function secondsSince(time: number): string {
  return ((Date.now() - time) / 1000).toFixed(1)
}
