-- The same request again and again, and in the end the figures as one line of JSON.
wrk.method = "POST"

function init(args)
  wrk.body = args[1]
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["X-Bot-Token"] = args[2]
end

function done(summary, latency, requests)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "refused": %d, "lost": %d, "p50_ms": %.4f, "p99_ms": %.4f}\n',
    summary.requests, summary.duration / 1e6, errors.status, lost,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
