#!/bin/sh
# Runs one line of Python on a host and looks for it in each kind of telemetry. Needs only curl.
#   PLINTH_URL=http://127.0.0.1:3210 PLINTH_ADMIN_KEY=… sh monitoring/smoke.sh
set -u
url=${PLINTH_URL:-http://127.0.0.1:3210}
key=${PLINTH_ADMIN_KEY:?set PLINTH_ADMIN_KEY to the admin key of the host}
failed=0

say() { printf '%-4s %s\n' "$1" "$2"; [ "$1" = ok ] || failed=1; }
ask() { curl -sS --max-time 30 -H "authorization: Bearer $key" "$@" 2>&1; }
has() { case $1 in *"$2"*) say ok "$3" ;; *) say FAIL "$3: $(printf %s "$1" | head -c 300)" ;; esac; }

has "$(ask "$url/healthz")" '"status":"ok"' "the host is healthy"

trace=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
answer=$(ask -X POST "$url/v1/code/execute" -H 'content-type: application/json' \
  -H "traceparent: 00-$trace-00f067aa0ba902b7-01" -d '{"language":"python","code":"6 * 7"}')
has "$answer" '"status":"succeeded"' "a call succeeds"
has "$answer" "\"traceId\":\"$trace\"" "its result names the trace of its caller"
id=$(printf %s "$answer" | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
has "$(ask "$url/v1/invocations/$id")" "$trace" "its record names the trace too"

metrics=$(ask "$url/metrics")
for name in plinth_invocations_total plinth_execution_duration_seconds_count plinth_execution_queue_delay_seconds_count plinth_execution_cost_total; do
  has "$metrics" "$name" "metrics have $name"
done
has "$(ask "$url/v1/usage")" '"spent"' "the tenant's usage is told"

[ "$failed" = 0 ] && echo "All telemetry is there. Look for trace $trace in your collector." || exit 1
