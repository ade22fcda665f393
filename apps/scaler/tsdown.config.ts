// Two programs, the scaler and its thread for logs, with our workspace packages inside; npm packages are installed beside it. What dockerode brings along (ssh2) has optional native
// parts that are not built here, and does without them.
import { inlineLua } from '@runyard/store/inline-lua'
import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/main.ts', 'src/log-thread-main.ts'],
  format: 'esm',
  plugins: [inlineLua()],
  platform: 'node',
  target: 'node24',
  outExtensions: () => ({ js: '.mjs' }),
  deps: { alwaysBundle: [/^@runyard\//], neverBundle: ['cpu-features', /\.node$/] },
  dts: false,
  clean: true,
})
