// What the sweep of large values asks of Redis (`sweep-blobs.ts`). The list of jobs with blobs is one sorted set for all endpoints, scored by
// the time from which it is worth a look whether the job is still there.
import { PRELUDE } from './prelude.ts'
import type { Script } from './script.ts'

/** ARGV: job, ms to look again at a job whose end is not foreseen → ms that the job or a webhook of it will still be there at least; -1: it is gone for good */
export const LIFE_LEFT: Script = {
  name: 'runyardLifeLeft',
  keys: 1,
  lua: `${PRELUDE}
local id, later = ARGV[1], tonumber(ARGV[2])
if call('EXISTS', jobKey(id), eventsKey(id)) > 0 then return later end
local left = call('PTTL', settledKey(id))
if left == -2 then return -1 end
return left == -1 and later or math.min(left, later)
`,
}

/** KEYS: list. ARGV: member, score it was found under, score from now on → nil where somebody announced more meanwhile: then nothing is changed */
export const BLOBS_LATER: Script = {
  name: 'runyardBlobsLater',
  keys: 1,
  lua: `if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end`,
}

/** KEYS: list. ARGV: member, score it was found under → 1, or nil as above */
export const BLOBS_DONE: Script = {
  name: 'runyardBlobsDone',
  keys: 1,
  lua: `if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('ZREM', KEYS[1], ARGV[1]) end`,
}

// Artifacts (`artifacts.ts`). KEYS of each: the list, the records, the holders of this artifact.

/** ARGV: artifact, record, score → 1, or nil where the sweep took it for given up meanwhile */
export const ARTIFACT_WRITTEN: Script = {
  name: 'runyardArtifactWritten',
  keys: 3,
  lua: `if redis.call('ZADD', KEYS[1], 'XX', 'CH', ARGV[3], ARGV[1]) == 0 and not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return nil end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1`,
}

/** ARGV: artifact, holder → 1, or nil where there is no such artifact */
export const ARTIFACT_HOLD: Script = {
  name: 'runyardArtifactHold',
  keys: 3,
  lua: `if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return nil end
redis.call('SADD', KEYS[3], ARGV[2])
return 1`,
}

/** ARGV: artifact, holder, score from now on where nothing holds it any more */
export const ARTIFACT_RELEASE: Script = {
  name: 'runyardArtifactRelease',
  keys: 3,
  lua: `if redis.call('SREM', KEYS[3], ARGV[2]) == 1 and redis.call('EXISTS', KEYS[3]) == 0 then redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end`,
}

/** ARGV: artifact, ms to look again at one that is held → those ms, or -1: nothing holds it, and from now on nothing can */
export const ARTIFACT_LIFE_LEFT: Script = {
  name: 'runyardArtifactLifeLeft',
  keys: 3,
  lua: `if redis.call('EXISTS', KEYS[3]) == 1 then return tonumber(ARGV[2]) end
redis.call('HDEL', KEYS[2], ARGV[1])
return -1`,
}
