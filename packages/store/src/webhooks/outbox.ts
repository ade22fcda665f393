// Lua of the outbox, which every script on jobs may need: a job's end and its webhook's event are one step.
import { endpointKeys } from '../keys.ts'
import { defineLua } from '../scripts/define-script.ts'
import { announceLua } from '../signals.ts'

export const outboxLua = defineLua({ lua: new URL('./outbox.lua', import.meta.url), uses: [endpointKeys, announceLua] })
