// Why a job waits, or an endpoint has no further worker: what was tried, why each host and GPU refused, and what would change it (ours, ADR 54).
import { z } from 'zod'
import { HostVerdict } from '../refusal.ts'

export const ExplainParams = z.object({ id: z.string().min(1).max(200).describe('Id or name of an endpoint, or id of a job.') })

export const ExplainView = z
  .object({
    endpoint: z.object({ id: z.string(), name: z.string() }),
    job: z.object({ id: z.string(), status: z.string() }).optional().describe('Absent: an endpoint was asked for.'),
    reason: z.string().describe('From the list of reasons that `/status` uses.'),
    message: z.string(),
    release: z.string().optional().describe('The endpoint was rolled back: why.'),
    wanted: z.string().describe('What a worker of the endpoint needs.'),
    priority: z.int(),
    waiting: z.int().describe('Jobs that wait.'),
    workers: z.object({ now: z.int(), min: z.int(), max: z.int(), throttled: z.int().describe('Wanted, but without a place.') }),
    hosts: z.array(HostVerdict).describe('Whether one more worker could start there now.'),
    changes: z.array(z.string()).describe('What would change it, each remedy once.'),
  })
  .meta({ id: 'Explanation' })
export type ExplainView = z.infer<typeof ExplainView>
