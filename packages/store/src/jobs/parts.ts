// Lua that several job scripts share; each script gets only the parts that it names.
import type { JobOutcome } from '@runyard/schema'
import { moveToActive } from 'bullmq/dist/esm/scripts/moveToActive-11.js'
import { endpointKeys } from '../keys.ts'
import { defineLua } from '../scripts/define-script.ts'
import { announceLua } from '../signals.ts'

/** How a job ends whose ttl is over. The job itself is gone then (client-api §4.4); its webhook delivers this. */
export const TTL_OVER: JobOutcome = { status: 'TIMED_OUT', error: 'the ttl of the job elapsed before it ended' }

const base = [endpointKeys, announceLua]
const expiredLua = defineLua({ lua: new URL('./expired.lua', import.meta.url), uses: base })
const registerLua = defineLua({ lua: new URL('./register.lua', import.meta.url), uses: base })
const suspectsLua = defineLua({ lua: new URL('./suspects.lua', import.meta.url), uses: base })
const weightsLua = defineLua({ lua: new URL('./weights.lua', import.meta.url), uses: base })
/** Also of webhooks alone: a job's end and its webhook's event are one step. */
export const outboxLua = defineLua({ lua: new URL('../webhooks/outbox.lua', import.meta.url), uses: base })
const queueLua = defineLua({ lua: new URL('./queue.lua', import.meta.url), uses: [suspectsLua, weightsLua] })

export const jobLua = defineLua({
  lua: new URL('./ends.lua', import.meta.url),
  uses: [queueLua, expiredLua, registerLua, outboxLua],
  constants: { TTL_OVER: JSON.stringify(TTL_OVER) },
})

export const leaseLua = defineLua({ lua: new URL('./lease.lua', import.meta.url), uses: [jobLua] })

/** BullMQ's own script as a function; its parameters hide Redis' own KEYS, ARGV and commands from it. */
const moveLua = defineLua({ lua: `local function moveToActive(KEYS, ARGV, redis)\n${indent(moveToActive.content)}\nend\n` })
export const bullTakeLua = defineLua({ lua: new URL('./bull-take.lua', import.meta.url), uses: [jobLua, moveLua] })

/** So that it is one part (`used-parts.ts`); without its comments. */
function indent(lua: string): string {
  return lua.replaceAll(/--\[\[[\s\S]*?\]\]/g, '').replaceAll(/^/gm, ' ')
}
