/** `latchkey/prometheus`: metrics of locks and clients, for `prom-client`, which is to be installed beside it. */
export { type Buckets, type CollectedMetrics, collectMetrics, type MetricsOptions } from './collect.js'
