// Starts the real agent process against a gateway, and builds and reads Flash values with the vendored cloudpickle.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dieWithUs } from '@runyard/testing/die-with-us'
import { uvDirectory } from './uv.ts'
import { vendorCloudpickle, vendorDirectory } from '../../scripts/vendor.ts'

export interface TestWorker extends AsyncDisposable {
  /** Its own directory for temporary files. */
  readonly directory: string
  readonly process: ChildProcess
  readonly output: () => string
  /** Resolves as soon as the output contains `text`. */
  printed(text: string): Promise<void>
  /** Writes what it gets on stdin; without an argument the input ends. */
  takeOn(env?: Record<string, string>): void
  /** Reports on stdin that it has its limits. */
  limit(): void
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>
}

interface WorkerOptions {
  readonly env?: Record<string, string>
  /** Words before the agent's own command line. */
  readonly prefix?: readonly string[]
  /** It stands by, and gets its environment by `takeOn`. */
  readonly standsBy?: boolean
}

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '..', 'main.ts')

export function startWorker(gatewayUrl: string, options: WorkerOptions = {}): TestWorker {
  vendorCloudpickle()
  const directory = mkdtempSync(join(tmpdir(), 'runyard-worker-'))
  const protocol = protocolOf(gatewayUrl)
  const env = {
    ...process.env,
    ...(options.standsBy === true ? { RUNYARD_STANDBY: '1' } : protocol),
    TMPDIR: directory,
    // Python's caches beside the runner's source would make the bundle stale, and `./runyard` would build it in the middle of other tests.
    PYTHONDONTWRITEBYTECODE: '1',
    ...(uvDirectory === undefined ? {} : { PATH: `${process.env['PATH'] ?? ''}:${uvDirectory}` }),
    ...options.env,
  }
  const [command, ...words] = [...(options.prefix ?? []), process.execPath, MAIN]
  const child = spawn(...dieWithUs(command, words), { env, stdio: [options.standsBy === true ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
  let output = ''
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      watchers.forEach((watch) => watch())
    })
  }
  const ended = new Promise<number | string>((resolve) => child.once('close', (code, signal) => resolve(signal ?? code ?? 'unknown')))
  return {
    directory,
    process: child,
    output: () => output,
    async printed(text) {
      await new Promise<void>((resolve) => {
        const watch = () => output.includes(text) && resolve()
        watchers.add(watch)
        watch()
      })
    },
    takeOn(own) {
      if (own === undefined) child.stdin?.end()
      else child.stdin?.write(`${JSON.stringify({ env: { ...protocol, ...own } })}\n`)
    },
    limit() {
      child.stdin?.write(`${JSON.stringify({ limited: true })}\n`)
    },
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      killAll(`TMPDIR=${directory}`)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** What an agent that is killed leaves, such as the server of a load-balanced endpoint: on a host its driver ends the process group. */
function killAll(variable: string): void {
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(variable)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended, or is another user's.
    }
  }
}

function protocolOf(gatewayUrl: string): Record<string, string> {
  const at = (route: string, rest: string) => `${gatewayUrl}/v2/ep1/${route}/w1${rest}?gpu=none`
  return {
    RUNPOD_WEBHOOK_GET_JOB: at('job-take', ''),
    RUNPOD_WEBHOOK_POST_OUTPUT: at('job-done', '/$ID'),
    RUNPOD_WEBHOOK_POST_STREAM: at('job-stream', '/$ID'),
    RUNPOD_WEBHOOK_PING: at('ping', ''),
    RUNPOD_AI_API_KEY: 'worker-token',
    RUNPOD_POD_ID: 'w1',
    RUNPOD_ENDPOINT_ID: 'ep1',
    RUNPOD_PING_INTERVAL: '1000',
  }
}

/** Runs Python with the vendored cloudpickle importable; returns what it printed. */
export function python(code: string, input = '', interpreter = 'python3'): string {
  vendorCloudpickle()
  const env = { ...process.env, PYTHONPATH: vendorDirectory }
  return execFileSync(interpreter, ['-c', code], { env, input, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 }).trim()
}

/** Base64 of cloudpickle of a Python expression, as Flash's client sends a value (flash-api §5.6). */
export function pickled(expression: string, interpreter?: string): string {
  return python(`import base64, cloudpickle; print(base64.b64encode(cloudpickle.dumps(${expression})).decode())`, '', interpreter)
}

/** `repr` of a value that came back. */
export function unpickled(result: string): string {
  return python('import base64, cloudpickle, sys; print(repr(cloudpickle.loads(base64.b64decode(sys.stdin.read()))))', result)
}

/** A function call as Flash's client sends it. */
export function flashCall(name: string, code: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    execution_type: 'function',
    function_name: name,
    function_code: code,
    method_name: '__call__',
    args: [],
    kwargs: {},
    constructor_args: [],
    constructor_kwargs: {},
    create_new_instance: true,
    accelerate_downloads: true,
    serialization_format: 'cloudpickle',
    modules: {},
    ...more,
  }
}

/** Command lines of living processes whose environment or arguments contain `mark`, zombies included as `<zombie>`. */
export function processesMarked(mark: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return line.includes(mark) ? [line] : []
      } catch {
        return []
      }
    })
}

/** Direct and indirect children of a process, with their state letter (`Z` = zombie). */
export function descendantsOf(root: number): { pid: number; state: string }[] {
  const parents = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
        return [{ pid: Number(pid), state: fields[0] ?? '?', parent: Number(fields[1]) }]
      } catch {
        return []
      }
    })
  const below = (pid: number): { pid: number; state: string }[] =>
    parents.flatMap((entry) => (entry.parent === pid ? [{ pid: entry.pid, state: entry.state }, ...below(entry.pid)] : []))
  return below(root)
}
