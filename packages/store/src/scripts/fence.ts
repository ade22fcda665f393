// Fencing (ADR 33): a script that runs under a leader's term is refused once a later term was seen. Each endpoint remembers the latest term
// that read or wrote it, in a key of its own slot; so the first look of a new leader shuts the old one out, and what the new one saw cannot
// change behind its back. Shared keys are written
// under the latest term that was given out and no other; in a Redis that was emptied there is none.
import type { RunScript, Script } from './script.ts'

/** What the error of a refused script begins with. */
export const STALE_TERM = 'STALETERM'

/** The same script with one key and one argument more, at the end: the fence and the term. */
function fenced({ name, keys, lua }: Script): Script {
  return {
    name: `${name}UnderTerm`,
    keys: keys + 1,
    lua: `
do
  local fence, term = table.remove(KEYS), table.remove(ARGV)
  local latest = redis.call('GET', fence) or '0'
  local isShared = string.find(fence, '{@}', 1, true)
  if tonumber(term) < tonumber(latest) or (isShared and term ~= latest) then return redis.error_reply('${STALE_TERM} ' .. latest) end
  if term ~= latest then
    -- Not refused for want of memory, as a first SET would be: a new leader's sweeps make room.
    local left = redis.call('PTTL', fence)
    redis.call('DEL', fence)
    redis.call('SET', fence, term)
    -- Of an endpoint that is gone it goes, too, whoever looks once more.
    if left > 0 then redis.call('PEXPIRE', fence, left) end
  end
end
${lua}`,
  }
}

/** Runs every script under `term`. `fenceOf` names the fence of the slot that a key lies in. */
export function createFencedRun(run: RunScript, { term, fenceOf }: { term: number; fenceOf: (key: string) => string }): RunScript {
  const scripts = new Map<Script, Script>()
  return (script, keys, args) => {
    const under = scripts.get(script) ?? fenced(script)
    scripts.set(script, under)
    return run(under, [...keys, fenceOf(keys[0] ?? '')], [...args, term])
  }
}
