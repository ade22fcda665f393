import { describe, expect, it } from 'vitest'
import { pipConfig } from './package-settings.ts'

describe('pipConfig', () => {
  it('is none where nothing is set', () => {
    expect(pipConfig({ PATH: '/bin', PIP_INDEX_URL: '', UV_INDEX_URL: undefined })).toBeUndefined()
  })

  it('names indexes and hosts, each setting in one line', () => {
    const env = {
      PIP_INDEX_URL: 'https://me:pass%20word@one.example/simple',
      PIP_EXTRA_INDEX_URL: 'https://two.example/simple\n  https://three.example/simple',
      PIP_TRUSTED_HOST: 'one.example',
    }
    expect(pipConfig(env)).toBe(
      [
        '[global]',
        'index-url = https://me:pass%20word@one.example/simple',
        'extra-index-url = https://two.example/simple https://three.example/simple',
        'trusted-host = one.example',
        '',
      ].join('\n'),
    )
  })

  it('takes uv’s index where pip has none', () => {
    expect(pipConfig({ UV_DEFAULT_INDEX: 'https://uv.example' })).toContain('index-url = https://uv.example\n')
    expect(pipConfig({ PIP_INDEX_URL: 'https://pip.example', UV_DEFAULT_INDEX: 'https://uv.example' })).not.toContain('uv.example')
  })
})
