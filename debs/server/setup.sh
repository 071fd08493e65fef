#!/usr/bin/env bash
#
# Makes what the server needs and git must not see: certificates, passwords, tokens, lists.
#
#   ./setup.sh NAME...          once, with the host names and addresses by which devices reach the
#                               broker; what is there already stays
#   ./setup.sh device ID        a device: prints its configuration; its password is in a file
#   ./setup.sh reader NAME      somebody who reads all devices, as `stats-recording watch` does
#   ./setup.sh remove NAME      takes the password of a device or a reader away
#
# All of it goes into secrets/, which only you can read. Afterwards, if the server runs:
#   docker compose kill -s HUP mosquitto

set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
umask 077

die() {
  echo "setup.sh: $*" >&2
  exit 1
}

usage() { sed -n '3,/^$/s/^# \{0,1\}//p' setup.sh; }

# Of the broker's image where it is not installed.
mosquitto_passwd() {
  if command -v mosquitto_passwd >/dev/null; then
    command mosquitto_passwd "$@"
  else
    command -v docker >/dev/null ||
      die "needs mosquitto_passwd (apt install mosquitto) or docker"
    local image
    image=$(sed -n 's/^ *image: *\(eclipse-mosquitto:.*\)/\1/p' compose.yaml)
    docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:$PWD" --workdir "$PWD" \
      --entrypoint mosquitto_passwd "$image" "$@"
  fi
}

# random_file FILE: a password of 192 bits, unless there is one.
random_file() { [[ -s $1 ]] || openssl rand -hex 24 >"$1"; }

certificates() {
  local name names=''
  for name; do
    if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then names+=IP:$name,; else names+=DNS:$name,; fi
  done
  names+=DNS:mosquitto,DNS:localhost,IP:127.0.0.1
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
  if [[ ! -s secrets/ca.key ]]; then
    openssl req -x509 "${key[@]}" -keyout secrets/ca.key -out secrets/mosquitto/ca.pem \
      -subj '/CN=stats-recording' -days 3650 2>/dev/null
  fi
  openssl req "${key[@]}" -keyout secrets/mosquitto/server.key -out secrets/server.csr \
    -subj '/CN=mosquitto' 2>/dev/null
  openssl x509 -req -in secrets/server.csr -CA secrets/mosquitto/ca.pem -CAkey secrets/ca.key \
    -CAcreateserial -days 3650 -extfile <(echo "subjectAltName=$names") \
    -out secrets/mosquitto/server.pem 2>/dev/null
  rm secrets/server.csr
}

# user NAME FILE: a user of the broker with the password in FILE. The password is in no command line.
user() {
  local line=secrets/user.new
  printf '%s:%s\n' "$1" "$(<"$2")" >"$line"
  mosquitto_passwd -U "$line"
  { grep -v "^$1:" secrets/mosquitto/passwords || true; } >secrets/passwords.new
  cat "$line" >>secrets/passwords.new
  rm "$line"
  mv secrets/passwords.new secrets/mosquitto/passwords
}

# The list of the repository, and a piece for each reader.
access_list() {
  local file
  {
    cat mosquitto/acl
    for file in secrets/readers/*; do
      [[ -e $file ]] || continue
      printf '\nuser %s\ntopic read stats/#\n' "$(basename "$file")"
    done
  } >secrets/mosquitto/acl
}

# valid NAME FOLDER: a name that the broker can have as a user, and none of those in other folders.
valid() {
  [[ $1 =~ ^[A-Za-z0-9_-][A-Za-z0-9._-]*$ ]] ||
    die "$1: letters, digits, hyphens and underscores, and dots behind the first"
  local folder
  for folder in secrets secrets/devices secrets/readers; do
    [[ $folder == "$2" || ! -e $folder/$1 ]] || die "$1 is taken: $folder/$1"
  done
}

ready() { [[ -s secrets/mosquitto/passwords ]] || die "first: ./setup.sh NAME..."; }

# The containers run as who owns these files. Mosquitto does not stay root, so root gives them away.
own() {
  if ((EUID == 0)); then chown -R 1883:1883 secrets data; fi
}

all() {
  command -v openssl >/dev/null || die 'needs openssl (apt install openssl)'
  mkdir -p secrets/{mosquitto,devices,readers} data/{mosquitto,influxdb,grafana}
  touch secrets/mosquitto/passwords
  certificates "$@"
  local name
  for name in ingest telegraf influxdb-admin influxdb-token grafana-admin; do
    random_file "secrets/$name"
  done
  for name in ingest telegraf; do
    grep -q "^$name:" secrets/mosquitto/passwords || user "$name" "secrets/$name"
  done
  access_list
  own
  [[ -s .env ]] || cat >.env <<END
STATS_UID=$(stat -c %u secrets)
STATS_GID=$(stat -c %g secrets)
COMPOSE_PROJECT_NAME=stats-recording
# What writes into the database: ingest, or telegraf.
COMPOSE_PROFILES=ingest
END
  cat <<END
Made in $PWD/secrets. Now:
  ./setup.sh device ID         for each device
  docker compose up --detach
Grafana is http://127.0.0.1:3000, user admin, password in secrets/grafana-admin.
END
}

case ${1-} in
  device)
    ready
    name=${2:?which device}
    valid "$name" secrets/devices
    random_file "secrets/devices/$name"
    user "$name" "secrets/devices/$name"
    own
    cat <<END
# Copy secrets/devices/$name to /etc/stats-recording/password and secrets/mosquitto/ca.pem to
# /etc/stats-recording/ca.pem of the device, and into posix-mq-to-mqtt-bridge.conf:
host = $(openssl x509 -in secrets/mosquitto/server.pem -noout -ext subjectAltName |
      sed -n '2s/^[A-Za-z ]*:\([^,]*\).*/\1/p')
ca-file = /etc/stats-recording/ca.pem
device-id = $name
username = $name
password-file = /etc/stats-recording/password
END
    ;;
  reader)
    ready
    name=${2:?which reader}
    valid "$name" secrets/readers
    random_file "secrets/readers/$name"
    user "$name" "secrets/readers/$name"
    access_list
    own
    echo "The password of $name is in $PWD/secrets/readers/$name."
    ;;
  remove)
    ready
    name=${2:?which user}
    [[ $name != */* && (-f secrets/devices/$name || -f secrets/readers/$name) ]] ||
      die "$name is neither a device nor a reader"
    mosquitto_passwd -D secrets/mosquitto/passwords "$name"
    rm -f "secrets/devices/$name" "secrets/readers/$name"
    access_list
    own
    ;;
  '' | -h | --help | help) usage ;;
  -*) die "unknown option $1; ./setup.sh --help" ;;
  *) all "$@" ;;
esac
