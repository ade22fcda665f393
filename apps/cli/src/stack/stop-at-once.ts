// The second Ctrl-C kills all parts and workers of this stack without a drain. Running jobs are not lost: the next start takes them back from the
// lost workers.
import { openHost } from '@runyard/hosts'
import { readOwn, sentenceOf } from '@runyard/kit'
import { hostSettings } from './host-choice.ts'
import type { Stack } from './open-stack.ts'

type StoppedStack = Pick<Stack, 'kill' | 'choice' | 'instanceId' | 'dataDir' | 'config'>

/** The parts first, so that no new worker is started. Resolves with a sentence for each host whose workers could not be removed. */
export async function stopAtOnce(stack: StoppedStack): Promise<readonly string[]> {
  stack.kill()
  const leading = stack.instanceId()
  const own = (await readOwn(stack.dataDir).catch(() => undefined))?.id
  const config = { ...stack.config, dataDir: stack.dataDir }
  const ended = await Promise.allSettled(
    stack.choice.hosts.map(async (host) => {
      // The data directory is ours, whichever scaler leads. Containers belong to the leader, so they stay while another scaler leads.
      const instanceId = host.kind === 'process' ? own : leading
      if (instanceId === undefined) return
      await using driver = openHost(host, hostSettings({ config, env: process.env }, instanceId))
      await driver.removeAll()
    }),
  )
  return ended.flatMap((end) => (end.status === 'rejected' ? [sentenceOf(end.reason)] : []))
}
