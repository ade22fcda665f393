-- Publishes a signal that a script decides on by itself. No process is its origin, so every process hears it, this one included. The channel is
-- beside the endpoint's keys; signals only wake, so they need no slot.
local function announce(signal)
  local base, endpoint = string.match(queue, '^(.*){(.*)}$')
  signal.endpointId = endpoint
  call('PUBLISH', base .. SIGNALS, ENVELOPE .. cjson.encode(signal) .. '}')
end
