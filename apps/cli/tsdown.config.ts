// Bundles the CLI with our workspace packages. A dependency of dockerode (ssh2) has optional native modules that are not built here.
import { inlineLua } from '@runyard/store/inline-lua'
import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/main.ts'],
  format: 'esm',
  plugins: [inlineLua()],
  platform: 'node',
  target: 'node24',
  outExtensions: () => ({ js: '.mjs' }),
  deps: { alwaysBundle: [/^@runyard\//], neverBundle: ['cpu-features', /\.node$/] },
  dts: false,
  clean: true,
})
