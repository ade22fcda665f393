// The effective settings as a person may see them: each with its value and where it came from, without secrets.
import type { LoadedConfig } from './config.ts'
import { listSettings } from './settings.ts'

export interface ShownSetting {
  /** `workerPlane.port` */
  readonly key: string
  /** `RUNYARD_WORKER_PLANE_PORT` */
  readonly variable: string
  readonly help: string
  /** Undefined: not set, and it has no default. */
  readonly value: unknown
  /** `default`, the path of the file, or the name of the variable. */
  readonly from: string
}

const HIDDEN = '…'

/** In the schema's order. `dataDir`: as it was settled. */
export function showSettings({ config, origins, dataDir }: Pick<LoadedConfig, 'config' | 'origins'> & { readonly dataDir: string }) {
  return listSettings().map(({ key, path, variable, help }): ShownSetting => {
    const found = path.reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined)?.[part], config)
    return { key, variable, help, value: key === 'dataDir' ? dataDir : withoutSecrets(key, found), from: origins[key] ?? 'default' }
  })
}

/** What is secret in a setting, by its key. The path of a receiver of notices may be a secret, too. */
const SECRETS: Readonly<Record<string, (value: unknown) => unknown>> = {
  'blobs.s3.secretAccessKey': () => HIDDEN,
  'redis.url': (url) => withoutPassword(String(url)),
  'traces.headers': (headers) => Object.fromEntries(Object.keys(headers as object).map((name) => [name, HIDDEN])),
  'models.hubUrl': (url) => withoutPassword(String(url)),
  'traces.endpoint': (url) => withoutPassword(String(url)),
  notify: (receivers) =>
    (receivers as readonly { url: string }[]).map(({ url, ...rest }) => ({ url: `${new URL(url).origin}/${HIDDEN}`, ...rest })),
}

function withoutSecrets(key: string, value: unknown): unknown {
  return value === undefined || value === null || !Object.hasOwn(SECRETS, key) ? value : SECRETS[key]?.(value)
}

/** Also hides a possible password in text that is no URL: everything between the first colon after a user and the last `@`. */
export function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^:/@]*):.*@/s, '$1:…@')
}
