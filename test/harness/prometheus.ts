// A real Prometheus, of Debian's package, that scrapes what a test names.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { stringify } from 'yaml'
import { startChild } from './child.ts'
import { findPrometheus } from './promtool.ts'
import { waitFor } from './wait.ts'

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

export interface FiringAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
}

export interface Prometheus extends AsyncDisposable {
  /** @throws what it says about the query */
  query(expr: string): Promise<readonly Sample[]>
  alerts(): Promise<readonly FiringAlert[]>
}

export interface PrometheusOptions {
  /** `host:port` of gateways. */
  readonly targets: readonly string[]
  readonly scrapeEvery: string
  /** Texts of files of rules. */
  readonly rules: readonly string[]
}

export async function startPrometheus({ targets, scrapeEvery, rules }: PrometheusOptions): Promise<Prometheus> {
  const dir = await mkdtemp(join(tmpdir(), 'runyard-prometheus-'))
  const port = await findFreePort()
  const files = await Promise.all(
    rules.map(async (text, at) => {
      const file = join(dir, `rules-${at}.yaml`)
      await writeFile(file, text)
      return file
    }),
  )
  const config = {
    global: { scrape_interval: scrapeEvery, scrape_timeout: scrapeEvery, evaluation_interval: scrapeEvery },
    rule_files: files,
    scrape_configs: [{ job_name: 'runyard', static_configs: [{ targets }] }],
  }
  await writeFile(join(dir, 'prometheus.yaml'), stringify(config))
  const child = startChild({
    name: 'prometheus',
    command: findPrometheus('prometheus') ?? 'prometheus',
    args: [
      `--config.file=${join(dir, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
  })
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    await child.stop()
    await rm(dir, { recursive: true, force: true })
  }
  try {
    await waitFor('Prometheus to be ready', async () => (await fetch(`${url}/-/ready`)).status === 200)
  } catch (error) {
    await stop()
    throw new Error(`Prometheus did not start:\n${child.output()}`, { cause: error })
  }
  const ask = async <T>(path: string): Promise<T> => {
    const { data, error } = (await (await fetch(`${url}/api/v1/${path}`)).json()) as { data: T; error?: string }
    if (error !== undefined) throw new Error(error)
    return data
  }
  return {
    query: async (expr) => (await ask<{ result: Sample[] }>(`query?query=${encodeURIComponent(expr)}`)).result,
    alerts: async () => (await ask<{ alerts: FiringAlert[] }>('alerts')).alerts,
    [Symbol.asyncDispose]: stop,
  }
}
