-- Publishes what a script found out by itself. No process is the origin, so every process listens, this one included. The channel lies beside the
-- endpoint's keys; signals only wake, so they need no slot.
local function announce(signal)
  local base, endpoint = string.match(queue, '^(.*){(.*)}$')
  signal.endpointId = endpoint
  call('PUBLISH', base .. SIGNALS, ENVELOPE .. cjson.encode(signal) .. '}')
end
