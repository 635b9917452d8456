/** mortise/metrics: the statistics of managers for Prometheus and OpenTelemetry, and spans of what is held and waited for. */
export { openTelemetryMetrics, type Meter, type OpenTelemetryMetricsOptions } from './metrics/meter.js';
export { prometheusMetrics, type PrometheusOptions, type PrometheusRegistry } from './metrics/prometheus.js';
export { openTelemetrySpans, type OpenTelemetrySpansOptions, type Tracer } from './metrics/spans.js';
