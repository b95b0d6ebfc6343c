-- wrk -s requests.lua URL -- FILE BASE-PATH
-- FILE holds requests as lines of `method TAB path TAB body`, sent one after the
-- other. Ends with one line of figures, each with its name.
local requests = {}
local at = 0

function init(args)
   local file, base = args[1], args[2]
   for line in io.lines(file) do
      local method, path, body = line:match("^(%u+)\t([^\t]*)\t(.*)$")
      local headers = { ["Accept"] = "application/fhir+json" }
      local token = os.getenv("BENCH_TOKEN")
      if token then
         headers["Authorization"] = "Bearer " .. token
      end
      if body == "" then
         body = nil
      else
         headers["Content-Type"] = "application/fhir+json"
      end
      local target = path == "" and base or base .. "/" .. path
      requests[#requests + 1] = wrk.format(method, target, headers, body)
   end
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      "figures requests=%d bytes=%d microseconds=%d errors=%d p50=%d p99=%d\n",
      summary.requests, summary.bytes, summary.duration,
      errors.connect + errors.read + errors.write + errors.status + errors.timeout,
      latency:percentile(50), latency:percentile(99)))
end
