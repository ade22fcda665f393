// Frames between agent and runner child: two big-endian u32 (header length, body length), a JSON header, an opaque body.
// The other end is runner/runyard_runner/frames.py.

export interface Frame {
  readonly header: Record<string, unknown>
  readonly body: Buffer
}

/** The bytes before the body. The body is written without a copy. */
export function encodeFrameHead(header: Record<string, unknown>, bodyLength: number): Buffer {
  const encoded = Buffer.from(JSON.stringify(header), 'utf8')
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(encoded.length, 0)
  lengths.writeUInt32BE(bodyLength, 4)
  return Buffer.concat([lengths, encoded])
}

/** Takes chunks as they arrive. The chunks of a large body are joined once, when it is complete. */
export function createFrameDecoder(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = []
  let size = 0
  let wanted = 8
  const peek = () => {
    const joined = Buffer.concat(chunks)
    chunks = [joined]
    return joined
  }
  return (chunk) => {
    chunks.push(chunk)
    size += chunk.length
    while (size >= wanted) {
      const data = peek()
      const headerLength = data.readUInt32BE(0)
      const total = 8 + headerLength + data.readUInt32BE(4)
      if (size < total) {
        wanted = total
        return
      }
      const header = JSON.parse(data.toString('utf8', 8, 8 + headerLength)) as Record<string, unknown>
      chunks = [data.subarray(total)]
      size -= total
      wanted = 8
      onFrame({ header, body: data.subarray(8 + headerLength, total) })
    }
  }
}
