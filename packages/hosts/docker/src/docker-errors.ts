// Translates dockerode's errors into one sentence with the fix. No error shape of Docker leaves this file. For an unknown cause the sentence quotes the
// engine.
import { errorMessage, RunyardError, type ErrorCode, type StartFault } from '@runyard/schema'

interface Rule {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly fault: StartFault
  readonly sentence: (context: { readonly doing: string; readonly engine: string; readonly message: string }) => string
}

/** What OpenSSL and Node say of the certificates of an engine and of its caller. */
const TLS_RULES: readonly (readonly [RegExp, (engine: string) => string])[] = [
  [
    /certificate has expired/i,
    (engine) => `The certificate of ${engine} has expired: give the engine a new --tlscert, and restart Docker.`,
  ],
  [
    /does not match certificate's altnames/i,
    (engine) =>
      `The certificate of ${engine} does not name it: write the host as its subjectAltName does, or give the engine one that names it.`,
  ],
  [
    /unable to (?:verify|get)|self.signed certificate/i,
    (engine) =>
      `The certificate of ${engine} is not signed by the ca of this host: "openssl verify -CAfile CA CERT" shows which CA has signed it.`,
  ],
  [
    /alert/i,
    (engine) => `${engine} refuses the cert of this host: have it signed by the CA of the engine's --tlscacert, with the usage clientAuth.`,
  ],
  [/wrong version number|packet length too long/i, (engine) => `${engine} does not answer by TLS: start dockerd with --tlsverify.`],
]

/** What mends it: no specification, or one that is older than the driver, the cards or their slices. */
export const WRITE_SPEC = 'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml'
const UNKNOWN_CARD = /unresolvable CDI devices/i

const RULES: readonly Rule[] = [
  ...TLS_RULES.map(([pattern, say]): Rule => ({ pattern, code: 'internal', fault: 'host', sentence: ({ engine }) => say(engine) })),
  {
    pattern: /EACCES|permission denied while trying to connect/i,
    code: 'internal',
    fault: 'host',
    sentence: ({ engine }) =>
      `Docker refuses access to ${engine}: join the docker group with "sudo usermod -aG docker $USER" and log in again, or run as root.`,
  },
  {
    pattern: /ENOENT .*\.sock|connect ENOENT|ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|ETIMEDOUT/i,
    code: 'internal',
    fault: 'host',
    sentence: ({ engine, message }) => notAnswering(engine, message),
  },
  {
    pattern: /no space left on device/i,
    code: 'internal',
    fault: 'host',
    sentence: ({ doing }) => `The Docker host's disk is full, so it cannot ${doing}: "docker system prune" frees what nothing uses.`,
  },
  {
    pattern: /could not select device driver/i,
    code: 'internal',
    fault: 'gpu',
    sentence: () =>
      'Docker has no NVIDIA runtime: install nvidia-container-toolkit, run "sudo nvidia-ctk runtime configure --runtime=docker", and restart Docker.',
  },
  {
    pattern: UNKNOWN_CARD,
    code: 'internal',
    fault: 'gpu',
    sentence: ({ message }) => `The CDI specifications of the host lack a GPU (${message}): run "${WRITE_SPEC}" there.`,
  },
  {
    pattern: /nvidia-container-cli|unknown device id|nvml error/i,
    code: 'internal',
    fault: 'gpu',
    sentence: ({ message }) => `The NVIDIA container toolkit refused the GPU: ${message}.`,
  },
  {
    pattern: /unknown or invalid runtime name|unknown runtime specified/i,
    code: 'unprocessable',
    fault: 'request',
    sentence: ({ message }) => {
      const name = /runtime(?: name:| specified) *"?([\w.-]+)/i.exec(message)?.[1] ?? 'of this endpoint'
      return `The engine does not have the runtime ${name}: install it and name it in /etc/docker/daemon.json (gVisor: "sudo runsc install"), restart Docker, or change the setting runtimes.`
    },
  },
  {
    pattern: /no such image|pull access denied|manifest unknown|manifest for .* not found/i,
    code: 'not_found',
    fault: 'image',
    sentence: ({ doing, message }) => `Docker cannot ${doing}: ${message}.`,
  },
  {
    pattern: /no command specified|executable file not found|exec: ".*": .*no such file or directory|exec format error/i,
    code: 'unprocessable',
    fault: 'request',
    sentence: ({ message }) => `The image has no command that this host can run: ${message}.`,
  },
]

function notAnswering(engine: string, message: string): string {
  const start = 'start it with "sudo systemctl start docker"'
  if (engine.startsWith('ssh://'))
    return `No Docker engine answers on ${engine}: on that machine ${start}, and let the user of the ssh connection use it with "sudo usermod -aG docker USER".`
  if (!engine.startsWith('tcp://')) return `No Docker engine answers on ${engine}: ${start}, or use a host of kind "process".`
  // The alert of a refused certificate may be lost with the connection.
  return /ECONNRESET|EPIPE|hang up/i.test(message)
    ? `${engine} breaks connections off: see that it runs, and that its --tlscacert has signed the cert of this host, with the usage clientAuth.`
    : `No Docker engine answers on ${engine}: on that machine ${start}, with "-H ${engine}" among the arguments of dockerd.`
}

/** The HTTP status of a Docker answer, or undefined for a connection error. */
export function statusOf(error: unknown): number | undefined {
  const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' ? status : undefined
}

/** `(HTTP code 404) no such container - No such image: a:b` → `No such image: a:b`. */
export function messageOf(error: unknown): string {
  const text = errorMessage(error)
  return text
    .replace(/^\(HTTP code \d+\) .*? - /, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '')
}

/** No CDI specification names a card that a container was to get. */
export const isUnknownCard = (error: unknown): boolean => UNKNOWN_CARD.test(messageOf(error))

/** `doing` completes "Docker cannot …". @param engine the address that is named where no engine answers. */
export function toRunyardError(error: unknown, { doing, engine }: { doing: string; engine: string }): RunyardError {
  if (error instanceof RunyardError) return error
  const message = messageOf(error)
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  const rule = RULES.find(({ pattern }) => pattern.test(message) || pattern.test(code))
  if (rule !== undefined) return new RunyardError(rule.code, rule.sentence({ doing, engine, message }), { cause: error, fault: rule.fault })
  return new RunyardError(statusOf(error) === 409 ? 'conflict' : 'internal', `Docker cannot ${doing}: ${message}.`, { cause: error })
}
