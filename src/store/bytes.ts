/**
 * A byte buffer with the two views that fast copying needs.
 *
 * Copying byte by byte costs 1.5 ns a byte in V8, and `set(subarray(…))` 60 to 140 ns before the first byte.
 * A `DataView` moves four bytes at any alignment for the price of one, so short copies go through `view` and
 * long ones through `u8`. Making a `DataView` is not free: wrap a buffer once and reuse the wrapper.
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
