-- GET /orders/{id} with random ids that exist. Arguments: a seed, the highest id.
local highest = 1

function init(arguments)
  math.randomseed(tonumber(arguments[1]) or 1)
  highest = tonumber(arguments[2]) or 1
end

function request()
  return wrk.format("GET", "/orders/" .. math.random(1, highest))
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
                      e.connect + e.read + e.write + e.timeout + e.status))
end
