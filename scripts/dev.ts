// `pnpm dev [options of up]`: runs the stack from source, with its own data directory. Gateway and scaler restart when a file that they import
// changes (`node --watch`); agent and runner are rebuilt, and the next worker starts with them. Logs are printed as short lines. Ctrl-C stops
// everything.
import { spawn, type ChildProcess } from 'node:child_process'
import { watch } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatLogLine } from './log-line.ts'

const ROOT = join(import.meta.dirname, '..')
const DATA_DIR = join(ROOT, '.runyard', 'dev')
const PARTS = ['gateway', 'scaler'] as const
/** The sources of the agent's bundle. */
const AGENT_SOURCES = ['apps/agent/src', 'apps/agent/runner', 'packages/core/src', 'packages/schema/src']
const LOOK_EVERY_MS = 100
/** Editors write several files at once. */
const SETTLE_MS = 200

const say = (part: string, line: string): void => {
  process.stdout.write(`${part.padEnd(7)} ${line}\n`)
}

const stop = new AbortController()
// Ctrl-C also reaches the stack; this process ends after it.
process.on('SIGINT', () => undefined)
if (!(await buildAgent())) process.exit(1)
watchAgent(stop.signal)
const tails = PARTS.map((part) => followLog(part, stop.signal))
const up = startStack()
process.on('SIGTERM', () => up.kill('SIGTERM'))
process.exitCode = await new Promise<number>((resolve) => {
  up.once('exit', (code) => resolve(code ?? 1))
})
stop.abort()
await Promise.all(tails)

function startStack(): ChildProcess {
  const words = [join(ROOT, 'apps', 'cli', 'src', 'main.ts'), 'up', '--data', DATA_DIR, ...process.argv.slice(2)]
  const env = { RUNYARD_LOG_LEVEL: 'debug', ...process.env, RUNYARD_FROM_SOURCE: '1' }
  // Without a terminal it prints lines instead of the live block.
  const child = spawn(process.execPath, words, { cwd: ROOT, env, stdio: ['inherit', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      for (const line of text.toString().trimEnd().split('\n')) say('up', line)
    })
  }
  return child
}

async function buildAgent(): Promise<boolean> {
  const from = Date.now()
  const child = spawn('pnpm', ['--silent', '--filter', '@runyard/agent', 'build'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  const built = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
  say('agent', built ? `built in ${Date.now() - from} ms; new workers start with it` : `not built:\n${Buffer.concat(output).toString()}`)
  return built
}

function watchAgent(signal: AbortSignal): void {
  let building: Promise<unknown> = Promise.resolve()
  let pending: NodeJS.Timeout | undefined
  for (const folder of AGENT_SOURCES) {
    watch(join(ROOT, folder), { recursive: true, signal }, (_event, name) => {
      if (name === null || /__pycache__|\.test\.ts$/.test(name)) return
      clearTimeout(pending)
      pending = setTimeout(() => {
        building = building.then(buildAgent)
      }, SETTLE_MS)
      pending.unref()
    })
  }
}

/** Starts at the current end of the log; a rotated log is read from its start. */
async function followLog(part: string, signal: AbortSignal): Promise<void> {
  const path = join(DATA_DIR, 'logs', `${part}.log`)
  const sizeOf = async (): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0
  let at = await sizeOf()
  let rest = ''
  for (let isLast = false; !isLast;) {
    isLast = signal.aborted
    const size = await sizeOf()
    if (size < at) at = 0
    if (size > at) {
      await using file = await open(path)
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - at), position: at })
      at += bytesRead
      const lines = `${rest}${buffer.toString('utf8', 0, bytesRead)}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) say(part, formatLogLine(line))
    }
    if (!isLast) await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}
