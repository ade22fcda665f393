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
  // The bundle needs no node_modules, and what is bundled starts faster. `react-devtools-core` is for those who debug Ink itself.
  deps: {
    alwaysBundle: [/^@runyard\//, 'commander', 'ink', 'react', 'yaml', 'zod'],
    neverBundle: ['cpu-features', 'react-devtools-core', /\.node$/],
  },
  dts: false,
  clean: true,
})
