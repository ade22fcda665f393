// Removing a container until it is gone, however many try at the same time.
import { setTimeout as sleep } from 'node:timers/promises'
import { RunyardError } from '@runyard/schema'
import type Docker from 'dockerode'
import { messageOf, statusOf } from './docker-errors.ts'

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
