import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { clientVariables, quotePosix, renderExports } from './client-exports.ts'

describe('clientVariables', () => {
  it('configures every client of the contracts for this stack (flash-api §1.1, §1.3, client-api §2, management §1.3)', () => {
    const variables = Object.fromEntries(clientVariables({ url: 'http://h:1', key: 'k' }).map(({ name, value }) => [name, value]))
    expect(variables).toEqual({
      RUNPOD_API_KEY: 'k',
      RUNPOD_ENDPOINT_BASE_URL: 'http://h:1/v2',
      RUNPOD_API_BASE_URL: 'http://h:1',
      RUNPOD_REST_API_URL: 'http://h:1/rest/v1',
      RUNPOD_HAPI_URL: 'http://h:1/hapi',
      RUNPOD_CONSOLE_URL: 'http://h:1',
      RUNPOD_INVOKE_URL: 'http://h:1/v2',
      RUNPOD_GRAPHQL_URL: 'http://h:1/graphql',
      RUNPOD_API_URL: 'http://h:1/v1',
      RUNPOD_REST_V2_URL: 'http://h:1/v2',
      RUNPOD_SERVERLESS_API_URL: 'http://h:1/v2',
      RUNPOD_AUTHED_GRAPHQL_URL: 'http://h:1/graphql',
      RUNPOD_PUBLIC_GRAPHQL_URL: 'http://h:1/graphql',
      RUNPOD_REST_V2_API_URL: 'http://h:1/v2',
      RUNPOD_BASE_URL: 'http://h:1/v2',
      RUNPOD_REST_URL: 'http://h:1/v1',
      FLASH_IS_LIVE_PROVISIONING: 'true',
      FLASH_NO_UPDATE_CHECK: '1',
    })
  })

  it('names jobs by https, and the files that clients trust, where there is TLS', () => {
    const tls = { base: 'https://api.localhost:8443', authority: { bundle: '/d/bundle.pem', ca: '/d/ca.pem' } }
    const variables = Object.fromEntries(clientVariables({ url: 'http://h:1', key: 'k', tls }).map(({ name, value }) => [name, value]))
    expect(variables).toMatchObject({
      RUNPOD_ENDPOINT_BASE_URL: 'https://api.localhost:8443/v2',
      RUNPOD_API_BASE_URL: 'http://h:1',
      RUNPOD_URL_MIXED_OK: '1',
      SSL_CERT_FILE: '/d/bundle.pem',
      REQUESTS_CA_BUNDLE: '/d/bundle.pem',
      NODE_EXTRA_CA_CERTS: '/d/ca.pem',
    })
  })
})

describe('renderExports', () => {
  it('survives eval in a POSIX shell, whatever the values contain', () => {
    const value = `a b'c"d$(exit 1)\`e\`\\n;#`
    const script = `${renderExports([{ name: 'ODD', value }])}printf %s "$ODD"`
    expect(execFileSync('sh', ['-eu', '-c', script], { encoding: 'utf8' })).toBe(value)
  })

  it('unsets what lets Flash run live, for scripts that call deployed apps', () => {
    const lines = renderExports(clientVariables({ url: 'http://h:1', key: 'k' }), { areDeployed: true }).split('\n')
    expect(lines).toContain('unset FLASH_IS_LIVE_PROVISIONING')
    expect(lines).toContain('export RUNPOD_API_KEY=k')
    expect(lines.filter((line) => line.includes('FLASH_IS_LIVE'))).toHaveLength(1)
  })

  it('prints export lines and comments only', () => {
    const lines = renderExports(clientVariables({ url: 'http://h:1', key: 'k' }))
      .trimEnd()
      .split('\n')
    for (const line of lines) expect(line).toMatch(/^(?:export [A-Z0-9_]+=\S+$|# )/)
    expect(lines.at(-1)).toContain('RUNPOD_FLASH_SILENCE_DEPRECATION=1')
  })
})

describe('quotePosix', () => {
  it('does not quote plain words', () => {
    expect(quotePosix('http://127.0.0.1:8080/v2')).toBe('http://127.0.0.1:8080/v2')
  })
})
