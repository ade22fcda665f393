// The alternative that a user might pick: the local test server of the `runpod` SDK (`--rp_serve_api`, worker-api §12), which has no queue and
// runs the handler in the server process.
import { join } from 'node:path'
import { findFreePort } from '@runyard/testing/free-port'
import { startChild } from '../../harness/child.ts'
import { ensureVenv, venvPython, type VenvName } from '../../harness/venvs.ts'
import { waitFor } from '../../harness/wait.ts'
import { NO_OP_BODY, warmP50 } from '../jobs.ts'
import { measureSequence, median, openPool } from '../load.ts'
import type { RowGroup } from '../row-group.ts'

const VENV: VenvName = 'runpod-1.12'

export const localServer: RowGroup = {
  name: 'local-server',
  title: 'the SDK’s local test server',
  measure: async ({ stack, times }) => {
    const beside = await localP50(times(500))
    const ours = await warmP50(stack, times(500))
    return [{ path: "warm /runsync one after another, p50, over the SDK's local server", ours, beside, unit: 'ms' }]
  },
}

async function localP50(count: number): Promise<number> {
  await ensureVenv(VENV)
  const port = await findFreePort()
  const args = [join(import.meta.dirname, '..', 'local_server.py'), '--rp_serve_api', '--rp_api_port', `${port}`]
  const child = startChild({ name: 'local server', command: venvPython(VENV), args })
  const headers = { 'content-type': 'application/json' }
  try {
    await waitFor('the local server to listen', async () => (await fetch(`http://127.0.0.1:${port}/docs`)).status > 0)
    const pool = await openPool({ host: '127.0.0.1', port, path: '/runsync', headers, body: NO_OP_BODY }, 32)
    const send = async (): Promise<void> => {
      const answer = await pool.send()
      if (!answer.body.includes('"COMPLETED"')) throw new Error(`the local server answered ${answer.status}: ${answer.body}`)
    }
    await measureSequence(send, 50)
    const latencies = await measureSequence(send, count)
    pool.close()
    return median(latencies)
  } finally {
    await child.stop(5000)
  }
}
