// What a key may do (ADR 81): which scopes each scope includes, and the sentence of a refusal. A key without scopes is an `admin`.
import type { ApiKey, KeyScope } from '@runyard/schema'
import type { NeededScope } from '@runyard/schema/api'

const INCLUDED: Readonly<Record<KeyScope, readonly KeyScope[]>> = {
  admin: ['admin', 'operate', 'run', 'view', 'metrics'],
  operate: ['operate', 'run', 'view'],
  run: ['run'],
  view: ['view'],
  metrics: ['metrics'],
}

const ADMIN: readonly KeyScope[] = ['admin']

/** Stands for the value of an environment variable where a key may not read it. */
export const HIDDEN_VALUE = '***'

export const scopesOf = ({ scopes }: Pick<ApiKey, 'scopes'>): readonly KeyScope[] => scopes ?? ADMIN

/** What needs no key of an account has a guard of its own, so a key opens nothing there that it would not open by itself. */
export function mayCall(key: Pick<ApiKey, 'scopes'>, needed: NeededScope): boolean {
  if (key.scopes === undefined || typeof needed === 'string') return true
  return key.scopes.some((scope) => INCLUDED[scope].some((included) => needed.includes(included)))
}

/** Why a key may not. Undefined: it may. */
export function scopeRefusal(key: Pick<ApiKey, 'name' | 'scopes'>, needed: NeededScope): string | undefined {
  if (mayCall(key, needed) || typeof needed === 'string') return undefined
  const words = needed.map((scope) => `"${scope}"`).join(' or ')
  const had = scopesOf(key)
  return `forbidden: this needs an API key with the scope ${words}; the key "${key.name}" has ${had.length === 0 ? 'none' : had.map((scope) => `"${scope}"`).join(', ')}`
}
