// The typed border to Redis (ADR 46). One definition contains the names, types and order of a script's keys and arguments, and how its reply is
// parsed. The header of the Lua text, which binds each name to its value, and the type of the caller's record are derived from it. So no Lua file
// counts positions, and no caller casts a reply.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Signal } from '@runyard/schema'
import { isSignal, layOut, type ArgumentSpecs, type Input, type SignalsOf, type ToArguments } from './arguments.ts'
import type { Reader } from './replies.ts'
import { usedParts } from './used-parts.ts'

/** A `.lua` file by its URL; in a bundle its name and text (`inline-lua.ts`). */
export type LuaFile = URL | { readonly name: string; readonly text: string }

/** Lua that several scripts use: functions and constants, of which each script gets what it names. */
export interface LuaPart {
  readonly uses: readonly LuaPart[]
  readonly text: () => string
}

export interface Script<I, R> {
  /** That of its file. */
  readonly name: string
  readonly keys: readonly string[]
  /** The whole text as Redis gets it. */
  readonly text: () => string
  readonly toArguments: ToArguments
  readonly read: Reader<R>
  readonly onlyIfAwaited: boolean
  /** What this process hears after the answer. Undefined: nothing. */
  readonly signalled: ((reply: R, input: I) => readonly Signal[]) | undefined
  /** What it hears as soon as the script is sent. Undefined: nothing. */
  readonly signalledWhenSent: ((input: I) => readonly Signal[]) | undefined
  /** For checks. */
  readonly parts: { readonly own: string; readonly header: string; readonly names: readonly string[] }
}

export interface ScriptDefinition<K extends readonly string[], A extends ArgumentSpecs, R> {
  readonly lua: LuaFile
  readonly uses?: readonly LuaPart[]
  readonly keys: K
  readonly args?: A
  readonly reply: Reader<R>
  /**
   * It gives something to its caller. So Redis does nothing if it runs the script when its caller no longer waits, as after a hang (ADR 31).
   */
  readonly onlyIfAwaited?: boolean
}

/**
 * When this process hears the signals among a script's arguments, without Redis' echo: after the answer, if that says that the script has published them;
 * or when the script is sent, a round trip sooner, and in vain if it then changes nothing (ADR 96).
 */
export type Signalled<K extends readonly string[], A, R> = {
  readonly [N in SignalsOf<A>]: Condition<K, A, R> | 'when_sent'
}

type Condition<K extends readonly string[], A, R> = (reply: R, input: Input<K[number], A>) => boolean

/** Every script of this process, so that a test can check all of them. */
export const definedScripts: Pick<Script<never, unknown>, 'name' | 'keys' | 'text' | 'parts'>[] = []

export function defineScript<const K extends readonly string[], const A extends ArgumentSpecs, R>(
  definition: ScriptDefinition<K, A, R>,
  ...[signalled]: [SignalsOf<A>] extends [never] ? [] : [signalled: Signalled<K, A, NoInfer<R>>]
): Script<Input<K[number], A>, R> {
  const { lua, uses = [], keys, args = {}, reply, onlyIfAwaited = false } = definition
  const name = lua instanceof URL ? basename(lua.pathname, '.lua') : lua.name
  const conditions: [string, Condition<K, A, R> | 'when_sent'][] = Object.entries(signalled ?? {})
  const whenSent = conditions.flatMap(([signal, when]) => (when === 'when_sent' ? [signal] : []))
  const afterwards = conditions.flatMap(([signal, when]) => (when === 'when_sent' ? [] : [{ signal, isPublished: when }]))
  const signalsOf = (input: Readonly<Record<string, unknown>>, signal: string) => [input[signal]].flat().filter(isSignal)
  const { header, toArguments } = layOut(args)
  const text = once(() => {
    const own = readLua(lua)
    const keyNames = keys.map((key, at) => `local ${key} = KEYS[${at + 1}]`)
    const library = [CALL, ...keyNames, ...withUsed(uses).map((part) => part.text()), header].join('\n')
    return `${usedParts(library, own)}\n${own}`
  })
  const script: Script<Input<K[number], A>, R> = {
    name,
    keys,
    text,
    toArguments,
    read: reply,
    onlyIfAwaited,
    signalled: ifAny(afterwards, (answer, input) =>
      afterwards.flatMap(({ signal, isPublished }) => (isPublished(answer, input) ? signalsOf(input, signal) : [])),
    ),
    signalledWhenSent: ifAny(whenSent, (input) => whenSent.flatMap((signal) => signalsOf(input, signal))),
    get parts() {
      return { own: readLua(lua), header, names: [...keys, ...Object.keys(args)] }
    },
  }
  definedScripts.push(script)
  return script
}

const ifAny = <T>(list: readonly unknown[], hear: T): T | undefined => (list.length > 0 ? hear : undefined)

/** `constants` are known to the Lua text by name. */
export function defineLua(part: {
  readonly lua: LuaFile | string
  readonly uses?: readonly LuaPart[]
  readonly constants?: Readonly<Record<string, string | number>>
}): LuaPart {
  const { lua, uses = [], constants = {} } = part
  const lines = Object.entries(constants).map(([name, value]) => `local ${name} = ${typeof value === 'number' ? value : luaText(value)}`)
  return { uses, text: once(() => [...lines, readLua(lua)].join('\n')) }
}

const CALL = 'local call = redis.call'

/** Each part once, below all that it uses itself. */
function withUsed(parts: readonly LuaPart[]): readonly LuaPart[] {
  return [...new Set(parts.flatMap((part) => [...withUsed(part.uses), part]))]
}

/** Without comments, which Redis would be sent. */
export function readLua(lua: LuaFile | string): string {
  return textOf(lua).replaceAll(/^\s*--.*\n/gm, '')
}

function textOf(lua: LuaFile | string): string {
  if (typeof lua === 'string') return lua
  return lua instanceof URL ? readFileSync(lua, 'utf8') : lua.text
}

export function luaText(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}'`
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
