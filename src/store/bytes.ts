/**
 * A byte buffer with the two views that fast copying needs.
 *
 * Copying byte by byte costs 1.5 ns a byte in V8, and `set(subarray(…))` 60 to 140 ns before the first byte and, where
 * memory is shared, a third of a nanosecond for each. A `DataView` moves eight bytes at any alignment for the price of
 * one. Making a `DataView` is not free: wrap a buffer once and reuse the wrapper.
 */
export class Bytes {
  readonly u8: Uint8Array
  readonly view: DataView

  constructor(u8: Uint8Array) {
    this.u8 = u8
    this.view = new DataView(u8.buffer, u8.byteOffset, u8.byteLength)
  }

  static allocate(length: number): Bytes {
    return new Bytes(new Uint8Array(length))
  }
}

/**
 * Copies `length` bytes, as doubles while they last: half as long as `set(subarray(…))` out of shared memory, and faster at
 * every size measured up to 10,000 bytes. A double that is a number comes out as the bits that went in. One that is not
 * may not, and goes as words.
 */
export function copyBytes(source: Bytes, start: number, target: Bytes, at: number, length: number): void {
  const from = source.view
  const to = target.view
  let next = start
  let put = at
  for (const end = start + (length & ~31); next < end; next += 32, put += 32) {
    const a = from.getFloat64(next, true)
    const b = from.getFloat64(next + 8, true)
    const c = from.getFloat64(next + 16, true)
    const d = from.getFloat64(next + 24, true)
    if (!(Number.isNaN(a) || Number.isNaN(b) || Number.isNaN(c) || Number.isNaN(d))) {
      to.setFloat64(put, a, true)
      to.setFloat64(put + 8, b, true)
      to.setFloat64(put + 16, c, true)
      to.setFloat64(put + 24, d, true)
    } else {
      for (let i = 0; i < 32; i += 4) to.setInt32(put + i, from.getInt32(next + i, true), true)
    }
  }
  for (const end = start + (length & ~3); next < end; next += 4, put += 4) {
    to.setInt32(put, from.getInt32(next, true), true)
  }
  for (const end = start + length; next < end; next++, put++) target.u8[put] = source.u8[next]!
}
