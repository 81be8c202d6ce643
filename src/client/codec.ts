/** How values become bytes and back: the contract between the client and a codec. */

export interface Encoded {
  /** Text is sent as UTF-8. */
  data: string | Uint8Array
  /** 32 bits, kept by the server beside the value; by convention they tell how to read it. */
  flags: number
}

/** Both ways of one kind of value. Throw `CodecError` for what cannot be encoded, or was written by another codec. */
export interface Codec<T> {
  encode(value: T): Encoded
  /**
   * `data` is a view of the receive buffer, true only during the call: copy what is kept. A view that fills its whole
   * ArrayBuffer is an exception: nobody else will use it, and it may be kept as it is.
   */
  decode(data: Buffer, flags: number): T
}
