// What a newcomer runs first, in three ways.
const VARIABLES = {
  RUNPOD_API_BASE_URL: '',
  RUNPOD_ENDPOINT_BASE_URL: '/v2',
  RUNPOD_REST_API_URL: '/rest/v1',
  RUNPOD_HAPI_URL: '/hapi',
  RUNPOD_CONSOLE_URL: '',
} as const

/** For a shell on another machine, as `runyard env` prints it for this one. */
export function exportBlock(url: string): string {
  const lines = Object.entries(VARIABLES).map(([name, path]) => `export ${name}=${url}${path}`)
  return ['export RUNPOD_API_KEY=   # your key', ...lines, 'export FLASH_IS_LIVE_PROVISIONING=true'].join('\n')
}

const FLASH = `import asyncio
from runpod_flash import Endpoint, GpuGroup

@Endpoint(name="hello", gpu=GpuGroup.ANY, workers=(0, 1))
async def hello(name):
    return f"Hello {name}"

print(asyncio.run(hello("world")))`

const IMAGE = `runyard endpoints create echo --image your/image:tag --gpu any --workers 0..1
runyard run echo '{"hello": "world"}'`

/** `endpoint`: its id, where there is one. */
function curl(url: string, endpoint: string | undefined): string {
  return `curl -X POST ${url}/v2/${endpoint ?? 'ENDPOINT_ID'}/runsync \\
  -H "Authorization: Bearer $RUNPOD_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"input": {"hello": "world"}}'`
}

export const WAYS = ['flash', 'image', 'curl'] as const
export type Way = (typeof WAYS)[number]

export interface FirstScript {
  readonly label: string
  readonly hint: string
  readonly text: string
}

export function firstScripts(url: string, endpoint: string | undefined): Readonly<Record<Way, FirstScript>> {
  return {
    flash: { label: 'Flash script', hint: 'pip install runpod-flash, save this as hello.py, and run python hello.py', text: FLASH },
    image: { label: 'Image', hint: 'Any worker image that was built for Runpod', text: IMAGE },
    curl: { label: 'curl', hint: 'A job for an endpoint that there is', text: curl(url, endpoint) },
  }
}
