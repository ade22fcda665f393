// Is there a real NVIDIA GPU that its driver can name?
import { execFile } from 'node:child_process'

export function hasNvidiaGpu(env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    execFile('nvidia-smi', ['-L'], { env, timeout: 10_000 }, (error, stdout) => {
      resolve(error === null && /^GPU \d+:/m.test(stdout))
    })
  })
}
