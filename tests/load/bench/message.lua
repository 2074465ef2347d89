-- Messages for wrk, each under an id and in a dialog of its own.
-- wrk -s message.lua URL -- BOT_TOKEN USER_ID SEED
local hex = "%04x%04x-%04x-4%03x-8%03x-%04x%04x%04x"
local random, format = math.random, string.format
local body, number = nil, 0

function init(args)
  math.randomseed(tonumber(args[3]))
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["X-Bot-Token"] = args[1]
  body = '{"user_id":"' .. args[2] .. '","message_id":"m-' .. args[3] .. '-%d",' ..
    '"payload":{"type":"text","text":"Hello!"}}'
end

local function word() return random(0, 65535) end

function request()
  number = number + 1
  local dialog = format(hex, word(), word(), word(), random(0, 4095), random(0, 4095),
    word(), word(), word())
  return wrk.format(nil, "/api/v1/dialogs/" .. dialog .. "/messages", nil, format(body, number))
end

function done(summary, latency, _)
  local failed = summary.errors
  io.write(format(
    '{"requests":%d,"microseconds":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d,' ..
    '"p50":%d,"p95":%d,"p99":%d}\n',
    summary.requests, summary.duration, failed.connect, failed.read, failed.write, failed.status,
    failed.timeout, latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
