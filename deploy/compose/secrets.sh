#!/bin/sh
# Makes the secrets of compose.yaml, each where it is not there yet: deploy/compose/secrets.sh
set -eu
folder=${1:-$(dirname "$0")/../../secrets}
umask 077
mkdir -p "$folder"

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

keep() { # NAME VALUE; readable for the containers' users, who are others than yours
  if [ -s "$folder/$1" ]; then
    echo "· $1 is there"
  else
    printf '%s\n' "$2" >"$folder/$1"
    chmod 0444 "$folder/$1"
    echo "✓ $1 is made"
  fi
}

keep secret_key "$(random)"
keep postgres_password "$(random)"
keep redis_password "$(random)"
keep database_url "postgresql://botcore:$(cat "$folder/postgres_password")@postgres:5432/botcore"
keep redis_url "redis://:$(cat "$folder/redis_password")@redis:6379/0"
