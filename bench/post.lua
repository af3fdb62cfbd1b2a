-- POST /orders with random phone numbers. Arguments: a seed.
local headers = { ["Content-Type"] = "application/json" }
local body = '{"phoneNumber":"010%08d","productName":"coffee","qty":2,"amt":1000}'

function init(arguments)
  math.randomseed(tonumber(arguments[1]) or 1)
end

function request()
  return wrk.format("POST", "/orders", headers, string.format(body, math.random(0, 99999999)))
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
                      e.connect + e.read + e.write + e.timeout + e.status))
end
