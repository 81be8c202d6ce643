/** Debian's Chromium without a window, spoken to over a pipe: no port, and no network. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'

export const chromiumPath = '/usr/bin/chromium'

const args = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe'],
  // Whatever it would like to fetch is refused before it leaves the machine.
  ...['--proxy-server=127.0.0.1:9', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
]

export interface View {
  readonly width: number
  readonly height: number
  readonly scheme: 'light' | 'dark'
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: {
    readonly exceptionDetails?: { readonly text: string }
    readonly entry?: { readonly level: string; readonly text: string }
    readonly type?: string
    readonly request?: { readonly url: string }
  }
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

interface Evaluated<T> {
  readonly result: { readonly value: T }
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description: string } }
}

export class Chromium {
  readonly #child: ChildProcess
  readonly #profile = mkdtempSync(join(tmpdir(), 'latchkey-chromium-'))
  readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  readonly #ended: Promise<void>
  #events: ((message: Message) => void)[] = []
  #session: string | undefined
  #lastId = 0
  #unread = ''
  /** What the page complained about. */
  readonly complaints: string[] = []
  /** Whatever it asked for. */
  readonly requests: string[] = []

  private constructor() {
    this.#child = spawn(chromiumPath, [...args, `--user-data-dir=${this.#profile}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    })
    const answers = this.#child.stdio[4] as Readable
    answers.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()))
    void this.#ended.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium has ended'))
    })
  }

  /** Guard with `requirePeer`. */
  static async start(): Promise<Chromium> {
    const browser = new Chromium()
    const { targetId } = await browser.#send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await browser.#send<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    })
    browser.#session = sessionId
    browser.#events.push((message) => browser.#note(message))
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.#send(`${domain}.enable`)
    await browser.#send('Network.emulateNetworkConditions', {
      offline: true,
      latency: 0,
      downloadThroughput: 0,
      uploadThroughput: 0,
    })
    return browser
  }

  /** From the disk. */
  async open(file: string, { width, height, scheme }: View, scripts = true): Promise<void> {
    await this.#send('Emulation.setScriptExecutionDisabled', { value: !scripts })
    await this.#send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 500 })
    await this.#send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] })
    const loaded = new Promise<void>((resolve) =>
      this.#events.push(({ method }) => {
        if (method === 'Page.loadEventFired') resolve()
      }),
    )
    await this.#send('Page.navigate', { url: pathToFileURL(file).href })
    await loaded
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#send<Evaluated<T>>('Runtime.evaluate', {
      expression,
      returnByValue: true,
    })
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  /** A PNG: of what is in view, or of the whole page. */
  async screenshot(whole = false): Promise<Buffer> {
    const { data } = await this.#send<{ data: string }>('Page.captureScreenshot', {
      format: 'png',
      captureBeyondViewport: whole,
    })
    return Buffer.from(data, 'base64')
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 })
  }

  #send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#lastId
    const message = { id, method, params, ...(this.#session !== undefined && { sessionId: this.#session }) }
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject })
      ;(this.#child.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`)
    })
  }

  #take(text: string): void {
    const messages = (this.#unread + text).split('\0')
    this.#unread = messages.pop()!
    for (const each of messages) this.#dispatch(JSON.parse(each))
  }

  #dispatch(message: Message): void {
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id)
    if (waiting === undefined) for (const listener of this.#events) listener(message)
    else if (message.error !== undefined) waiting.reject(new Error(message.error.message))
    else waiting.resolve(message.result)
    if (message.id !== undefined) this.#waiting.delete(message.id)
  }

  #note({ method, params = {} }: Message): void {
    const { exceptionDetails, entry, type, request } = params
    if (exceptionDetails !== undefined) this.complaints.push(exceptionDetails.text)
    if (entry !== undefined && entry.level !== 'verbose') this.complaints.push(entry.text)
    if (method === 'Runtime.consoleAPICalled') this.complaints.push(`console.${type}`)
    if (method === 'Network.requestWillBeSent') this.requests.push(request!.url)
  }
}
