// The small pure parts: frames, markers in the output, pauses, sentences, settings, and where Python is found.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { backoffMs } from './backoff.ts'
import { type BoardNote, exitMessage } from './exit-message.ts'
import { toFailureBody } from './failure-body.ts'
import { createFrameDecoder, encodeFrameHead } from './frames.ts'
import { createMarkerSplitter } from './output-pipe.ts'
import { findPython, readSettings, refuseUnheeded, toRunnerEnv } from './settings.ts'

describe('frames', () => {
  it('come out whole, however the stream is cut', () => {
    const body = Buffer.from('body with \0 and ü')
    const stream = Buffer.concat([encodeFrameHead({ kind: 'a' }, body.length), body, encodeFrameHead({ kind: 'b' }, 0)])
    for (let size = 1; size <= stream.length; size += 1) {
      const frames: [unknown, string][] = []
      const decode = createFrameDecoder((frame) => frames.push([frame.header.kind, frame.body.toString()]))
      for (let at = 0; at < stream.length; at += size) decode(stream.subarray(at, at + size))
      expect(frames).toEqual([
        ['a', 'body with \0 and ü'],
        ['b', ''],
      ])
    }
  })
})

describe('markers in the output', () => {
  it('are taken out and reported in place, however the output is cut', () => {
    const stream = Buffer.from('one\0two\0s:done:1\0three\0s\0s:exit:2\0\0s')
    for (let size = 1; size <= stream.length; size += 1) {
      let seen = ''
      const split = createMarkerSplitter('s', {
        onText: (text) => (seen += text.toString()),
        onMarker: (marker) => (seen += `<${marker}>`),
      })
      for (let at = 0; at < stream.length; at += size) split(stream.subarray(at, at + size))
      split(Buffer.from('.'))
      expect(seen).toBe('one\0two<done:1>three\0s<exit:2>\0s.')
    }
  })
})

describe('the pause before another try', () => {
  it('doubles from 0.1 s to 5 s and varies by a quarter', () => {
    expect([0, 1, 2, 5, 6, 50].map((attempt) => backoffMs(attempt, 0.5))).toEqual([100, 200, 400, 3200, 5000, 5000])
    expect([backoffMs(0, 0), backoffMs(0, 1), backoffMs(60, 1)]).toEqual([75, 125, 6250])
  })
})

describe('the sentence for a dead process', () => {
  const note: BoardNote = { phase: 'working', threadsLeft: false }
  const none = { oomKilled: false, limitBytes: undefined, note }
  const exit = { exitCode: null, signal: null, supervisorLost: false }

  it.for([
    [
      { ...exit, signal: 'SIGKILL' },
      { oomKilled: true, limitBytes: 2 ** 29, note },
      'the function ran out of memory (limit 0.5 GiB): the kernel killed its process',
    ],
    [
      { ...exit, signal: 'SIGKILL' },
      { oomKilled: true, limitBytes: undefined, note },
      'the function ran out of memory: the kernel killed its process',
    ],
    [{ ...exit, signal: 'SIGBUS' }, none, 'the function’s process was killed by SIGBUS (bus error)'],
    [{ ...exit, signal: 'SIGUSR1' }, none, 'the function’s process was killed by SIGUSR1'],
    [{ ...exit, exitCode: 0 }, none, 'the function’s process ended with exit code 0: the function, or a library, called os._exit'],
    [
      { ...exit, exitCode: 0 },
      { ...none, note: { ...note, threadsLeft: true } },
      'the function’s process ended with exit code 0: the function, a library, or a thread that an earlier job left, called os._exit',
    ],
    [
      { ...exit, signal: 'SIGSEGV' },
      { ...none, note: { ...note, threadsLeft: true } },
      'the function’s process was killed by SIGSEGV (segmentation fault), in it or in a thread that an earlier job left',
    ],
    [
      { ...exit, exitCode: 70 },
      { ...none, note: { ...note, phase: 'broken' } },
      'the function’s process could not answer, as its connection to the agent was gone: the function, or a library, has closed descriptors that are not its own',
    ],
  ] as const)('%j', ([death, evidence, sentence]) => {
    expect(exitMessage(death, evidence)).toBe(sentence)
  })
})

describe('the body of a failed job', () => {
  it('has the error inside and beside the output for Flash, and as the only item of a list for SDK 2.0', () => {
    const parse = ({ body }: { body: Buffer }) => JSON.parse(body.toString()) as unknown
    expect(parse(toFailureBody('flash', 'e', 'out'))).toEqual({ output: { success: false, error: 'e', stdout: 'out' }, error: 'e' })
    expect(parse(toFailureBody('json', 'e', 'out'))).toEqual({ output: [{ success: false, error: 'e', stdout: 'out' }] })
  })
})

describe('settings', () => {
  const env = {
    RUNPOD_POD_ID: 'w1',
    RUNPOD_WEBHOOK_GET_JOB: 'http://gw/v2/ep/job-take/$ID?gpu=x',
    RUNPOD_WEBHOOK_POST_OUTPUT: 'http://gw/v2/ep/job-done/$RUNPOD_POD_ID/$ID?gpu=x',
    RUNPOD_AI_API_KEY: 'secret',
  }

  it('fill the worker’s id into the URLs and leave the job’s open', () => {
    expect(readSettings(env)).toMatchObject({
      takeUrl: 'http://gw/v2/ep/job-take/w1?gpu=x',
      stopUrl: 'http://gw/v2/ep/job-stop/w1?gpu=x',
      doneUrl: 'http://gw/v2/ep/job-done/w1/$ID?gpu=x',
      pingIntervalMs: 10_000,
      envelope: undefined,
    })
  })

  it('take the ping interval in milliseconds and ignore one that makes no sense', () => {
    const interval = (text: string) => readSettings({ ...env, RUNPOD_PING_INTERVAL: text }).pingIntervalMs
    expect([interval('4000'), interval('10'), interval('10s'), interval('')]).toEqual([4000, 10_000, 10_000, 10_000])
  })

  it('name what is missing', () => {
    expect(() => readSettings({ ...env, RUNPOD_POD_ID: undefined })).toThrow('RUNPOD_POD_ID is not set')
  })

  it('make clients trust the worker plane beside all that they trusted', () => {
    const directory = mkdtempSync(join(tmpdir(), 'trust-'))
    const mine = join(directory, 'mine.pem')
    writeFileSync(mine, 'MINE')
    const { SSL_CERT_FILE = '', ...trust } = toRunnerEnv({ ...env, RUNYARD_AUTHORITY: 'OURS', REQUESTS_CA_BUNDLE: mine }, directory)
    const names = ['REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']
    expect(names.map((name) => trust[name])).toEqual([SSL_CERT_FILE, SSL_CERT_FILE, SSL_CERT_FILE])
    const text = readFileSync(SSL_CERT_FILE, 'utf8')
    expect([text.startsWith('MINE\n'), text.includes('BEGIN CERTIFICATE'), text.endsWith('\nOURS')]).toEqual([true, true, true])
    const whole = { SSL_CERT_FILE: mine, REQUESTS_CA_BUNDLE: mine, CURL_CA_BUNDLE: mine }
    const { NODE_EXTRA_CA_CERTS = '' } = toRunnerEnv({ ...env, RUNYARD_AUTHORITY: 'OURS', ...whole }, directory)
    expect(readFileSync(NODE_EXTRA_CA_CERTS, 'utf8')).toBe('MINE\nOURS')
  })

  it('keep the worker’s token and routes from user code, and nothing else', () => {
    const nested = { ...env, RUNPOD_API_KEY: 'scoped', RUNPOD_ENDPOINT_BASE_URL: 'http://gw/v2' }
    expect(toRunnerEnv(nested, '/run/x')).toEqual({
      RUNPOD_POD_ID: 'w1',
      RUNPOD_API_KEY: 'scoped',
      RUNPOD_ENDPOINT_BASE_URL: 'http://gw/v2',
      RUNYARD_RUNTIME_DIR: '/run/x',
    })
  })
})

describe('Python', () => {
  it('is what is configured, else python3, else python', () => {
    const directory = mkdtempSync(join(tmpdir(), 'path-'))
    const put = (name: string) => {
      writeFileSync(join(directory, name), '')
      chmodSync(join(directory, name), 0o755)
    }
    expect(findPython('/opt/py', directory)).toBe('/opt/py')
    expect(findPython(undefined, directory)).toBeUndefined()
    put('python')
    expect(findPython(undefined, `/nowhere:${directory}`)).toBe(join(directory, 'python'))
    put('python3')
    expect(findPython(undefined, directory)).toBe(join(directory, 'python3'))
    rmSync(directory, { recursive: true })
  })
})

describe('a setting of the contracts that this agent does not follow', () => {
  const refuse = (env: Record<string, string>) => refuseUnheeded(env, { pingIntervalMs: 10_000, envelope: undefined })

  it.for([
    ['RUNPOD_MAX_CONCURRENCY', '4', '1', /one job at a time; more workers/],
    ['RUNPOD_MAX_CONCURRENCY', 'many', '', /one job at a time/],
    ['RUNPOD_REALTIME_PORT', '8000', '0', /listens on no port/],
    ['RUNPOD_REALTIME_CONCURRENCY', '2', '1', /listens on no port/],
    ['RUNPOD_RUNTIME_KIND', 'api', 'queue', /serves queues alone/],
    ['RUNPOD_RESOURCE_NAME', 'worker', '', /no build of a deployed app/],
    ['RUNPOD_PREBUILT_APP_DIR', '/app', '', /no build of a deployed app/],
    ['FLASH_RESOURCE_NAME', 'worker', '', /no build of a deployed app/],
    ['FLASH_ENDPOINT_TYPE', 'lb', '', /no build of a deployed app/],
    ['FLASH_BUILD_ARTIFACT_PATH', '/x.tar.gz', '', /no build of a deployed app/],
    ['FLASH_IS_MOTHERSHIP', 'true', 'false', /no build of a deployed app/],
    ['RUNPOD_MIN_MEMORY_GB', '8', '', /fitness checks/],
    ['RUNPOD_MIN_DISK_PERCENT', '20', '', /fitness checks/],
    ['RUNPOD_MIN_CUDA_VERSION', '12.4', '', /fitness checks/],
    ['RUNPOD_PING_INTERVAL', '10', '10000', /1000 milliseconds or more, so 10000 are used$/],
    ['RUNPOD_PING_INTERVAL', '10s', '', /1000 milliseconds or more/],
  ] as const)('%s=%s is refused with a sentence, and "%s" asks for nothing', ([name, value, harmless, sentence]) => {
    expect(refuse({ [name]: value })).toEqual([expect.stringMatching(sentence)])
    expect(refuse({ [name]: value })[0]).toMatch(new RegExp(`^${name}=.* is not followed: `))
    expect(refuse({ [name]: harmless })).toEqual([])
  })

  it('is none of those that it follows or hands on', () => {
    const env = {
      RUNPOD_POD_ID: 'w',
      RUNPOD_ENDPOINT_ID: 'e',
      RUNPOD_INIT_TIMEOUT: '900',
      BUCKET_ENDPOINT_URL: 'https://s3',
      RUNPOD_API_KEY: 'k',
    }
    expect(refuse(env)).toEqual([])
  })
})
