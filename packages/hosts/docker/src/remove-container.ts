// Removing a container until it is gone, however many try at the same time, and removing those that nothing waits for any more.
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError } from '@runyard/schema'
import type Docker from 'dockerode'
import { messageOf, statusOf } from './docker-errors.ts'

/** On containers that last for seconds, or for as long as this process is connected. */
export const PROBE_LABEL = 'runyard.probe'
/** A container that is older and does not run has lost the process that made it: a probe ends within 30 s, and is then removed. */
export const LEFT_AFTER_MS = 60_000
const POLL_MS = 50
const POLLS = 600

/** Removes a container and its anonymous volumes, living or not; gone is gone. */
export async function removeContainer(container: Docker.Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true })
  } catch (error) {
    if (statusOf(error) === 404) return
    if (statusOf(error) !== 409 || !/already in progress/.test(messageOf(error))) throw error
    await seenGone(container)
  }
}

/** Removes the short-lived containers that killed processes left. Those that run end by themselves. */
export async function removeLeftProbes(docker: Docker, afterMs = LEFT_AFTER_MS): Promise<void> {
  const [left, { SystemTime }] = await Promise.all([
    docker.listContainers({ all: true, filters: { label: [PROBE_LABEL], status: ['created', 'exited', 'dead'] } }),
    docker.info() as Promise<{ readonly SystemTime: string }>,
  ])
  // The engine's clock made the times.
  const before = (Date.parse(SystemTime) - afterMs) / 1000
  await Promise.all(left.filter(({ Created }) => Created < before).map(({ Id }) => removeContainer(docker.getContainer(Id))))
}

async function seenGone(container: Docker.Container): Promise<void> {
  for (let poll = 0; poll < POLLS; poll++) {
    const gone = await container.inspect().then(
      () => false,
      (error: unknown) => statusOf(error) === 404,
    )
    if (gone) return
    await sleep(POLL_MS)
  }
  throw new RunyardError('internal', 'Docker has been removing a container for too long; restarting Docker mends that.')
}
