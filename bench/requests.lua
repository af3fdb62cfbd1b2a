-- What wrk asks for, and how it reports. Arguments: a seed, then
--   post                an order with a random phone number
--   get HIGHEST         GET /orders/{id} with a random id from 1 to HIGHEST
--   finder PHONES       the page of a random phone number of those that bulk_load gives out
-- The last line is one of JSON; latencies in ms, errors are answers of 400 and more, and connections that failed.
local headers = { ["Content-Type"] = "application/json" }
local body = '{"phoneNumber":"010%08d","productName":"coffee","qty":2,"amt":1000}'
local highest = 1

local ask = {
  post = function()
    return wrk.format("POST", "/orders", headers, string.format(body, math.random(0, 99999999)))
  end,
  get = function()
    return wrk.format("GET", "/orders/" .. math.random(1, highest))
  end,
  finder = function()
    -- As phone_of in bulk_load.cpp: numbers that lie far from each other.
    local number = (math.random(0, highest - 1) * 61803399) % 100000000
    return wrk.format("GET", string.format("/mypages/search/findByPhoneNumber?phoneNumber=010%08d", number))
  end,
}

function init(arguments)
  math.randomseed(tonumber(arguments[1]))
  request = assert(ask[arguments[2]], "post, get or finder")
  highest = tonumber(arguments[3]) or 1
end

function done(summary, latency)
  local e = summary.errors
  print(string.format('RESULT {"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, "errors": %d}',
                      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
                      latency.max / 1000, e.connect + e.read + e.write + e.timeout + e.status))
end
