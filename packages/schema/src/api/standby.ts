// What stands by on the hosts (ours, ADR 56).
import { z } from 'zod'

export const StandbyView = z
  .object({
    hosts: z.array(
      z.object({
        host: z.string(),
        waiting: z.int().describe('Started workers that wait for an endpoint.'),
        problem: z.string().optional().describe('Why no further one can be started; absent: nothing is wrong.'),
      }),
    ),
  })
  .meta({ id: 'Standby', description: 'Hosts with standby workers, and hosts that cannot start one.' })
export type StandbyView = z.infer<typeof StandbyView>
