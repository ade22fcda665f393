// One file with everything inlined: the agent travels into containers alone (ADR 7).
import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: { agent: 'src/main.ts' },
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outExtensions: () => ({ js: '.mjs' }),
  // dist/runner/vendor is a cache of what was fetched.
  clean: ['dist/agent.mjs'],
  deps: { alwaysBundle: [/.*/] },
  dts: false,
})
