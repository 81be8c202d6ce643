/**
 * TLS on accepted sockets, in a worker thread. A handshake costs its client at most a time limit and the place that every
 * connection takes under `-c`; one that fails is counted, told of at -v, and nothing else.
 */
import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { Cell, Metric, type Metrics } from '../metrics.js'
import { contextOptions, type TlsMaterial } from './material.js'
import type { TlsSettings } from './options.js'

export interface HandshakeEvents {
  /** The client may speak. Its connection is the receiver's to count from here on. */
  secured(socket: TLSSocket): void
  failed(reason: string): void
}

export class Handshakes {
  readonly #settings: TlsSettings
  readonly #metrics: Metrics
  readonly #events: HandshakeEvents
  /** It listens nowhere: sockets are put into it. */
  readonly #server: Server

  constructor(settings: TlsSettings, material: TlsMaterial, metrics: Metrics, events: HandshakeEvents) {
    this.#settings = settings
    this.#metrics = metrics
    this.#events = events
    this.#server = createServer({
      ...contextOptions(settings, material),
      requestCert: settings.clientCertificates !== 'ignored',
      rejectUnauthorized: settings.clientCertificates === 'required',
      handshakeTimeout: settings.handshakeTimeoutMs,
    })
    this.#server.on('secureConnection', (socket) => this.#secured(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#failed(error, socket))
  }

  /** Takes a socket that is counted under `-c`. */
  begin(socket: Socket): void {
    this.#metrics.add(Metric.CurrConnections, 1)
    // Who has said no more will not finish its handshake, and must not keep its place until the time limit.
    socket.allowHalfOpen = false
    this.#server.emit('connection', socket)
  }

  /** For handshakes from now on. */
  use(material: TlsMaterial): void {
    this.#server.setSecureContext(contextOptions(this.#settings, material))
  }

  #secured(socket: TLSSocket): void {
    if (this.#settings.clientCertificates === 'checked' && !socket.authorized && hasCertificate(socket)) {
      this.#failed(socket.authorizationError, socket)
      return
    }
    this.#metrics.add(Metric.CurrConnections, -1)
    socket.allowHalfOpen = true
    if (!socket.isSessionReused()) this.#metrics.add(Metric.SslNewSessions, 1)
    this.#events.secured(socket)
  }

  #failed(error: Error, socket: TLSSocket): void {
    socket.on('error', () => undefined)
    socket.destroy()
    Atomics.sub(this.#metrics.cells, Cell.Connections, 1)
    this.#metrics.add(Metric.CurrConnections, -1)
    this.#metrics.add(Metric.TotalConnections, 1)
    this.#metrics.add(Metric.SslHandshakeErrors, 1)
    this.#events.failed(String((error as Error | undefined)?.message ?? error))
  }
}

function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getPeerCertificate()).length > 0
}
