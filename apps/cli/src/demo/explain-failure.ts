// Explains why the demo's script failed: its last output, why no worker started, what the workers printed.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '@runyard/client'

const LAST_LINES = 15
/** Pino's level for warnings; higher levels are worse. */
const WARN = 40

export async function explainFailure(options: { client: Client; output: string; logDir: string }): Promise<readonly string[]> {
  const { client, output, logDir } = options
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['the script’s last words', output.trimEnd().split('\n').slice(-LAST_LINES)],
    ['the endpoint', await endpointTrouble(client).catch((error: Error) => [error.message])],
    ['its worker', await workerWords(client).catch((error: Error) => [error.message])],
    ['the gateway’s warnings', await warnings(join(logDir, 'gateway.log'))],
    ['the scaler’s warnings', await warnings(join(logDir, 'scaler.log'))],
  ]
  return sections.flatMap(([title, lines]) => (lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)]))
}

async function endpointTrouble(client: Client): Promise<readonly string[]> {
  const lines: string[] = []
  for (const { id, name } of await client.listEndpoints()) {
    const { message } = await client.jobs.health(id)
    if (message !== undefined) lines.push(`${name}: ${message}`)
    const events = await client.listEvents(id)
    lines.push(...events.flatMap(({ message: said, kind }) => (said === undefined ? [] : [`${name}: ${kind}: ${said}`])).slice(-LAST_LINES))
  }
  return lines
}

/** Of the latest worker. */
async function workerWords(client: Client): Promise<readonly string[]> {
  const [endpoint] = await client.listEndpoints()
  if (endpoint === undefined) return []
  const worker = (await client.listEvents(endpoint.id)).findLast(({ workerId }) => workerId !== undefined)?.workerId
  return worker === undefined ? ['none was placed'] : (await client.workerLogs(worker)).container.slice(-LAST_LINES)
}

async function warnings(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const lines = text.split('\n').flatMap((line) => {
    const entry = parseEntry(line)
    return entry === undefined || entry.level < WARN ? [] : [`${entry.msg ?? ''} ${entry.err?.message ?? ''}`.trim()]
  })
  return lines.slice(-LAST_LINES)
}

function parseEntry(line: string): { level: number; msg?: string; err?: { message?: string } } | undefined {
  try {
    return JSON.parse(line) as { level: number }
  } catch {
    return undefined
  }
}
