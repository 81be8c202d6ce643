/** Builds pipelined requests in one reused buffer. Values are whatever lies there: only their length matters here. */
export class BatchBuilder {
  readonly #buffer = Buffer.alloc(2 * 1024 * 1024, 'x')
  #length = 0
  #count = 0

  /** Requests added since the last `take`; each is answered with one line. */
  get count(): number {
    return this.#count
  }

  /** True while another request of up to 16 KiB fits. */
  get hasRoom(): boolean {
    return this.#buffer.length - this.#length > 16 * 1024
  }

  /** Answered with `HD` or `EN`, and counted as a use of the item by either server. */
  read(key: string): void {
    this.#append(`mg ${key}\r\n`)
    this.#count++
  }

  set(key: string, ttlSeconds: number, valueBytes: number): void {
    this.#append(`set ${key} 0 ${ttlSeconds} ${valueBytes}\r\n`)
    this.#length += valueBytes
    this.#append('\r\n')
    this.#count++
  }

  /** The bytes to send; they stay good until the replies are there and the next request is added. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length)
    this.#length = 0
    this.#count = 0
    return bytes
  }

  #append(text: string): void {
    this.#length += this.#buffer.write(text, this.#length, 'latin1')
  }
}
