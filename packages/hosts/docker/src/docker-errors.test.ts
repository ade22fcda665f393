import { RunyardError } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import { toRunyardError } from './docker-errors.ts'

const context = { doing: 'start worker w1', engine: '/var/run/docker.sock' }
const answer = (statusCode: number, message: string): Error =>
  Object.assign(new Error(`(HTTP code ${statusCode}) reason - ${message} `), { statusCode })
const failed = (code: string): Error => Object.assign(new Error(`connect ${code} /var/run/docker.sock`), { code })

describe('toRunyardError', () => {
  it.each([
    [failed('EACCES'), 'internal', 'sudo usermod -aG docker $USER'],
    [failed('ENOENT'), 'internal', 'No Docker engine answers on /var/run/docker.sock: start it with "sudo systemctl start docker"'],
    [failed('ECONNREFUSED'), 'internal', 'No Docker engine answers'],
    [answer(500, 'mkdir /var/lib/docker/x: no space left on device'), 'internal', '"docker system prune" frees what nothing uses'],
    [answer(500, 'could not select device driver "nvidia" with capabilities: [[gpu]]'), 'internal', 'install nvidia-container-toolkit'],
    [answer(500, 'nvidia-container-cli: device error: GPU-1: unknown device'), 'internal', 'refused the GPU: nvidia-container-cli'],
    [answer(400, 'unknown or invalid runtime name: runsc'), 'unprocessable', 'does not have the runtime runsc: install it'],
    [answer(404, 'No such image: a:b'), 'not_found', 'Docker cannot start worker w1: No such image: a:b.'],
    [answer(400, 'OCI runtime create failed: exec: "x": executable file not found in $PATH'), 'unprocessable', 'no command that this host'],
    [answer(409, 'Conflict. It is in use'), 'conflict', 'Docker cannot start worker w1: Conflict. It is in use.'],
    [new Error('unable to verify the first certificate; try --use-system-ca'), 'internal', 'is not signed by the ca of this host'],
    [new Error('certificate has expired'), 'internal', 'has expired: give the engine a new --tlscert'],
    [new Error("IP: 10.0.0.7 does not match certificate's altnames"), 'internal', 'does not name it'],
    [new Error('ssl3_read_bytes:tlsv13 alert certificate required'), 'internal', 'refuses the cert of this host'],
    [new Error('tls_validate_record_header:wrong version number'), 'internal', 'does not answer by TLS: start dockerd with --tlsverify'],
    [
      answer(500, 'CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=GPU-1'),
      'internal',
      'run "sudo nvidia-ctk cdi generate',
    ],
    [answer(500, 'something new'), 'internal', 'Docker cannot start worker w1: something new.'],
  ])('turns "%s" into %s with a way to mend it', (error, code, sentence) => {
    const translated = toRunyardError(error, context)
    expect(translated.code).toBe(code)
    expect(translated.message).toContain(sentence)
    expect(translated.cause).toBe(error)
  })

  it.each([
    ['ssh://me@box', 'ECONNRESET', 'let the user of the ssh connection use it with "sudo usermod -aG docker USER"'],
    ['tcp://box:2376', 'ECONNREFUSED', 'with "-H tcp://box:2376" among the arguments of dockerd'],
    ['tcp://box:2376', 'EPIPE', 'see that it runs, and that its --tlscacert has signed the cert of this host'],
  ])('says of an engine on %s that does not answer (%s) how that is mended', (engine, code, sentence) => {
    expect(toRunyardError(failed(code), { ...context, engine }).message).toContain(sentence)
  })

  it.each([
    [failed('ECONNREFUSED'), 'host'],
    [answer(500, 'mkdir /var/lib/docker/x: no space left on device'), 'host'],
    [answer(500, 'could not select device driver "nvidia" with capabilities: [[gpu]]'), 'gpu'],
    [answer(500, 'nvidia-container-cli: detection error: nvml error: gpu requires reset'), 'gpu'],
    [answer(500, 'CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=GPU-1'), 'gpu'],
    [answer(400, 'unknown or invalid runtime name: runsc'), 'request'],
    [answer(404, 'No such image: a:b'), 'image'],
    [answer(400, 'exec: "x": executable file not found in $PATH'), 'request'],
    [answer(500, 'something new'), undefined],
  ])('says of "%s" whose fault it is: %s', (error, fault) => {
    expect(toRunyardError(error, context).fault).toBe(fault)
  })

  it('leaves our own errors as they are', () => {
    const error = new RunyardError('conflict', 'ours')
    expect(toRunyardError(error, context)).toBe(error)
  })
})
