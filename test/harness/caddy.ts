// A real Caddy with TLS of its own CA, which serves a gateway below a path, and load-balanced endpoints by Host.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { startChild, type Child } from './child.ts'
import { venvPath } from './venvs.ts'
import { waitFor } from './wait.ts'

export interface Caddy extends AsyncDisposable {
  /** `https://localhost:PORT/yard` */
  readonly base: string
  /** Of `https://ID.api.localhost:PORT` */
  readonly port: number
  /** The certificate of its CA, a file. */
  readonly authority: string
  start(): Promise<void>
  /** Cuts all connections. */
  stop(): Promise<void>
}

const PREFIX = '/yard'

export async function startCaddy(gatewayUrl: string): Promise<Caddy> {
  const directory = await mkdtemp(join(tmpdir(), 'runyard-caddy-'))
  const port = await findFreePort()
  const config = join(directory, 'Caddyfile')
  await writeFile(config, caddyfile({ directory, port, upstream: new URL(gatewayUrl).host }))
  let child: Child | undefined
  const stop = async (): Promise<void> => {
    child?.signal('SIGKILL')
    await child?.exited
  }
  const start = async (): Promise<void> => {
    const started = startChild({
      name: 'Caddy',
      command: join(venvPath('caddy'), 'bin', 'caddy'),
      args: ['run', '--config', config, '--adapter', 'caddyfile'],
      env: { ...process.env, HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    })
    child = started
    await waitFor('Caddy to listen', () => started.output().includes('serving initial configuration'))
  }
  await start()
  return {
    base: `https://localhost:${port}${PREFIX}`,
    port,
    authority: join(directory, 'pki', 'authorities', 'local', 'root.crt'),
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function caddyfile({
  directory,
  port,
  upstream,
}: {
  readonly directory: string
  readonly port: number
  readonly upstream: string
}): string {
  return `{
	admin off
	auto_https disable_redirects
	skip_install_trust
	storage file_system ${directory}
}
https://localhost:${port} {
	tls internal
	handle_path ${PREFIX}/* {
		reverse_proxy ${upstream} {
			header_up X-Forwarded-Prefix ${PREFIX}
			flush_interval -1
		}
	}
}
https://*.api.localhost:${port} {
	tls internal
	reverse_proxy ${upstream}
}
`
}
