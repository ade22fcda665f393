// Environment variables as lines of NAME=VALUE. A value with line breaks or outer blanks is written as JSON text.
import { quoteShell } from '../../../ui/quote-shell.ts'

type Env = Readonly<Record<string, string>>

export function writeEnv(env: Env): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${/^\s|\s$|[\n\r]|^"/u.test(value) ? JSON.stringify(value) : value}`)
    .join('\n')
}

export interface ReadEnv {
  readonly env: Record<string, string>
  /** One sentence about the first line that is none. */
  readonly fault?: string
}

const NAME = /^[A-Za-z_]\w*$/u

export function readEnv(text: string): ReadEnv {
  const env: Record<string, string> = {}
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const at = line.indexOf('=')
    const name = line.slice(0, Math.max(0, at)).trim()
    if (!NAME.test(name)) return { env, fault: `line ${index + 1} must be NAME=VALUE` }
    if (Object.hasOwn(env, name)) return { env, fault: `line ${index + 1} names ${name} once more` }
    const value = unquote(line.slice(at + 1).trim())
    if (value === undefined) return { env, fault: `line ${index + 1} has a " without an end` }
    env[name] = value
  }
  return { env }
}

function unquote(text: string): string | undefined {
  if (!text.startsWith('"')) return text
  try {
    return String(JSON.parse(text))
  } catch {
    return undefined
  }
}

const SECRET_NAME = /(?:KEY|TOKEN|SECRET|PASS|PASSWORD)(?:_|$)/iu
const REFERENCE = /^\{\{.*\}\}$/u
const COVER = '••••••••'

const isSecret = (name: string, value: string): boolean => value !== '' && SECRET_NAME.test(name) && !REFERENCE.test(value)

/** Without the values of variables that are called like secrets. A reference to a secret is no secret. */
export function coverSecrets(text: string): string {
  const cover = (line: string): string => {
    const [name = '', ...rest] = line.split('=')
    return isSecret(name.trim(), rest.join('=').trim()) ? `${name}=${COVER}` : line
  }
  return text.split('\n').map(cover).join('\n')
}

export function coverEnv(env: Env): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, isSecret(name, value.trim()) ? COVER : value]))
}

export const envOption = (name: string, value: string): string => `--env ${quoteShell(`${name}=${value}`)}`

/** Only what changes. */
export function toEnvOptions(before: Env, after: Env): string {
  const set = Object.entries(after).filter(([name, value]) => before[name] !== value)
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name))
  return [...set.map(([name, value]) => envOption(name, value)), ...gone.map((name) => `--unset-env ${name}`)].join(' ')
}
