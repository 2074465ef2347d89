#!/bin/sh
# Does a deployment answer? Health, a first message, the same again, metrics, an error's form.
#
#   BOTCORE_BOT_TOKEN=… tools/smoke.sh https://bots.example.com
#
# BOTCORE_BOT_TOKEN    of a bot with dialogs:read, dialogs:write and users:write; without it
# BOTCORE_ADMIN_KEY    (bots:manage) makes a bot for this run and revokes it in the end
# BOTCORE_METRICS_URL  where /metrics is, if not on the API's own port
# Both secrets may stand in files: BOTCORE_BOT_TOKEN_FILE, BOTCORE_ADMIN_KEY_FILE.
#
# It needs curl and a plugin that answers "smoke". One user stays (telegram_id 1); the dialog is
# emptied. Exit codes: 0 all is well, 1 a check failed, 2 it could not begin.
set -u

ANSWER_SECONDS=30  # for an answer that comes later

cannot() { echo "smoke: $*" >&2; exit 2; }

[ $# -eq 1 ] || cannot "name the deployment: tools/smoke.sh http://127.0.0.1:8080"
command -v curl >/dev/null || cannot "curl is missing. On Debian and Ubuntu: apt-get install curl"
url=${1%/}
token=${BOTCORE_BOT_TOKEN:-}
admin=${BOTCORE_ADMIN_KEY:-}
[ -n "$token" ] || [ -z "${BOTCORE_BOT_TOKEN_FILE:-}" ] || token=$(cat "$BOTCORE_BOT_TOKEN_FILE")
[ -n "$admin" ] || [ -z "${BOTCORE_ADMIN_KEY_FILE:-}" ] || admin=$(cat "$BOTCORE_ADMIN_KEY_FILE")
[ -n "$token$admin" ] || cannot "set BOTCORE_BOT_TOKEN, or BOTCORE_ADMIN_KEY to have a bot made"

folder=$(mktemp -d) || exit 2
made=
# Called by the trap.
# shellcheck disable=SC2317,SC2329
leave() {
  [ -z "$made" ] || ask DELETE "/api/v1/admin/bots/$made" "X-Admin-Key: $admin"
  rm -rf "$folder"
}
trap leave EXIT
trap 'exit 1' INT TERM HUP

# ask METHOD PATH-OR-URL HEADER [BODY]: sets $status; the answer is in $folder/head and body.
# The header goes by standard input: everyone on the machine reads a process's arguments.
ask() {
  case $2 in /*) place=$url$2 ;; *) place=$2 ;; esac
  set -- "$1" "$place" "$3" ${4+"$4"}
  status=$(printf 'header = "%s"\n' "$3" | curl -sS -K - -X "$1" -m 60 \
    -o "$folder/body" -D "$folder/head" -w '%{http_code}' \
    ${4+-H 'Content-Type: application/json' --data-binary "$4"} \
    "$2" 2>"$folder/error") || status=000
}

# A member of the answer whose value is a string; its first one of the name.
member() { sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p" "$folder/body" | head -n 1; }

header() { tr -d '\r' <"$folder/head" | grep -i "^$1:" | head -n 1 | sed 's/^[^:]*: *//'; }

failed() {
  echo "✗ $1" >&2
  echo "  answered $status: $(head -c 400 "$folder/body" 2>/dev/null)$(cat "$folder/error")" >&2
  echo "  trace id: $(header x-trace-id)" >&2
  exit 1
}

# good WHAT STATUS…: one of these, or all ends here.
good() {
  what=$1; shift
  for each; do [ "$status" = "$each" ] && return; done
  failed "$what: not answered $*"
}

uuid() {
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' |
    sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\)$/\1-\2-4\3-a\4-\5/'
}

ask GET /healthz 'Accept: */*'
good "health" 200
echo "✓ it lives"

ask GET /readyz 'Accept: */*'
good "readiness" 200
echo "✓ it is ready, mode $(member mode)"

if [ -z "$token" ]; then
  ask POST /api/v1/admin/bots "X-Admin-Key: $admin" "{\"name\": \"smoke $(uuid)\"}"
  good "a bot for this run" 201
  token=$(member token)
  made=$(sed -n 's/.*"bot" *: *{[^}]*"id" *: *"\([^"]*\)".*/\1/p' "$folder/body")
  [ -n "$made" ] || failed "a bot for this run: its id is not in the answer, so it stays"
  echo "✓ a bot is made for this run"
fi
bot="X-Bot-Token: $token"

ask POST /api/v1/users "$bot" '{"telegram_id": 1, "display_name": "Smoke", "locale": "en"}'
good "a user" 200 201
user=$(member user_id)
echo "✓ a user is there"

dialog=$(uuid)
message=smoke-$(uuid)
said="{\"user_id\": \"$user\", \"message_id\": \"$message\",
  \"payload\": {\"type\": \"text\", \"text\": \"smoke\"}}"
ask POST "/api/v1/dialogs/$dialog/messages" "$bot" "$said"
good "a message" 200 202
waited=0
while [ "$(member status)" = queued ]; do  # a worker answers it
  [ "$waited" -lt "$ANSWER_SECONDS" ] ||
    failed "a message: queued for $ANSWER_SECONDS s; is there a worker?"
  sleep 1
  waited=$((waited + 1))
  ask GET "/api/v1/dialogs/$dialog/messages/$message" "$bot"
  good "a message's answer" 200 202
done
[ "$(member status)" = accepted ] || failed "a message: it is $(member status), not accepted"
echo "✓ a message is answered: $(member content | head -c 100)"
mv "$folder/body" "$folder/first"

ask POST "/api/v1/dialogs/$dialog/messages" "$bot" "$said"
good "the same message again" 200
[ "$(header idempotency-replayed)" = true ] || failed "the same again: not told as replayed"
cmp -s "$folder/first" "$folder/body" || failed "the same again: another answer"
echo "✓ sent again it gets the same answer, in every byte"

ask GET "/api/v1/dialogs/$dialog" "$bot"
good "the dialog" 200
[ "$(grep -o '"sender_type"' "$folder/body" | wc -l)" -eq 2 ] ||
  failed "the dialog: not two messages"
echo "✓ the dialog has both messages"

ask POST "/api/v1/dialogs/$dialog/messages" "$bot" '{"user_id": '
good "a body that is no JSON" 400
[ "$(header content-type)" = application/problem+json ] || failed "an error: of another type"
[ "$(member code)" = invalid_json ] || failed "an error: its code is $(member code)"
echo "✓ what is wrong is told as application/problem+json"

ask GET "/api/v1/dialogs/$dialog" "X-Bot-Token: nobody's"
good "a bad token" 401
echo "✓ a bad token is refused"

ask POST "/api/v1/dialogs/$dialog/reset" "$bot" \
  "{\"user_id\": \"$user\", \"reason\": \"user_requested\"}"
good "a reset" 200
echo "✓ the dialog is emptied"

ask GET "${BOTCORE_METRICS_URL:-/metrics}" 'Accept: */*'
if [ "$status" = 404 ] && [ -z "${BOTCORE_METRICS_URL:-}" ]; then
  echo "· the metrics have a port of their own: set BOTCORE_METRICS_URL to see them"
else
  good "metrics" 200
  if grep -q '^botcore_requests_total{.*addDialogMessage' "$folder/body"; then
    echo "✓ the metrics count messages"
  elif [ -z "${BOTCORE_METRICS_URL:-}" ] && grep -q '^# TYPE botcore_requests_total' "$folder/body"; then
    echo "✓ the metrics are told; the messages were counted by another instance"
  else
    failed "metrics: no message is counted"
  fi
fi

echo "all is well: $url"
