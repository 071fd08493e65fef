#!/usr/bin/env bash
#
# Builds the parsers with libFuzzer and lets it try each of them for some seconds.
#
#   Tests/Fuzz/fuzz.sh [--seconds N] [PARSER]...
#
# It begins with the fixtures of the tests, with what it found worth keeping in earlier runs
# (.build/fuzz/corpus), and with Findings/<parser>/, the inputs that once broke a parser. What breaks
# one now is written to .build/fuzz/findings: once it is mended, the file belongs into Findings.

set -euo pipefail
shopt -s nullglob
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

readonly all=(
  accounting configuration coredump dbus-message dlt-connection dlt-trace inotify options outbox
  pressure proc-files record spill
)
readonly work=.build/fuzz
seconds=10
parsers=()
while (($#)); do
  case $1 in
    --seconds)
      seconds=${2-}
      shift
      ;;
    -*)
      echo "fuzz.sh: unknown option $1" >&2
      exit 2
      ;;
    *) parsers+=("$1") ;;
  esac
  shift
done
if [[ ! $seconds =~ ^[1-9][0-9]*$ ]]; then
  echo 'fuzz.sh: --seconds needs a number from 1' >&2
  exit 2
fi
((${#parsers[@]})) || parsers=("${all[@]}")

# One input for each line of a fixture.
lines_of() {
  local line number=0 stem
  stem=$seeds/$(basename "$1")
  while read -r line; do
    number=$((number + 1))
    printf '%s' "$line" >"$stem-$number"
  done <"$1"
}

# Files of several folders, which may have the same names.
files() {
  local file
  find "$@" -type f ! -name '*.md' | while read -r file; do cp "$file" "$seeds/${file//\//-}"; done
}

# Fills the folder `seeds` for a parser.
seed() {
  local fixtures=Tests/Fixtures file hex
  case $1 in
    accounting) cp "$fixtures"/pacct/*.pacct "$seeds" ;;
    configuration)
      printf '# every\nprint = yes\ninterval = 150ms\nunit = ssh*\nunit = a b\n; 5s\n' >"$seeds/conf"
      ;;
    coredump)
      for file in "$fixtures"/coredump/{names,not-names}; do lines_of "$file"; done
      cp "$fixtures"/coredump/{attributes*,core_pattern*,entry.export} "$seeds"
      ;;
    dbus-message) files "$fixtures/dbus" -name '*.message' ;;
    dlt-connection) cp "$fixtures/dlt/raw-tcp-stream.bin" "$seeds" ;;
    dlt-trace) cp "$fixtures/dlt/sample.dlt" "$seeds" ;;
    inotify)
      printf '\1\0\0\0\0\1\0\0\0\0\0\0\10\0\0\0core.a\0\0\1\0\0\0\0\0\0\100\0\0\0\0\0\0\0\0' \
        >"$seeds/events"
      ;;
    options)
      printf 'interval = 5s\nname = a\n# c\0--flag\0--unit\0ssh*\0--pulse=off\0--number\0004' \
        >"$seeds/both"
      printf '\0--help\0--interval=1h30min\0--version\0--print=no\0--queue-prefix\0/a.' >"$seeds/line"
      ;;
    outbox | spill)
      # Whole; cut; with a bit flipped in the head, in a slot, in a record.
      printf '\1' >"$seeds/whole"
      printf '\1\0\14' >"$seeds/cut"
      printf '\1\377\377\0\0\1\14\0\1\0\40\1\100\40\1' >"$seeds/flipped"
      printf 'samples-00000000000000000001-00000000000000000004-4.spill' >"$seeds/name"
      ;;
    pressure)
      files "$fixtures/pressure"
      printf 'memory:some:150ms/2s' >"$seeds/trigger"
      printf 'system.slice/*.service' >"$seeds/pattern"
      ;;
    proc-files) files "$fixtures/cyclic-file-read" -size -20k ;;
    record)
      # The bytes of annotated hexadecimal.
      for file in Tests/RecordsTests/Golden/*.hex; do
        hex=$(sed 's/#.*//' "$file" | tr -cd '[:xdigit:]')
        # shellcheck disable=SC2001 # every two digits, not a fixed string
        printf '%b' "$(sed 's/../\\x&/g' <<<"$hex")" >"$seeds/$(basename "$file" .hex)"
      done
      ;;
    *)
      echo "fuzz.sh: no parser $1; there are ${all[*]}" >&2
      exit 2
      ;;
  esac
}

# try PARSER
try() {
  local seeds=$work/seeds/$1 corpus=$work/corpus/$1 findings=$work/findings/$1
  rm -rf "$seeds"
  mkdir -p "$seeds" "$corpus" "$findings"
  seed "$1"
  # Most forms repeat soon; tables of /proc are longer.
  local longest=4096
  if [[ $1 == proc-files ]]; then longest=16384; fi
  # With `nullglob`, nothing where there is none.
  local known=(Tests/Fuzz/Findings/"$1"*/)
  # Its own stack is shown; Swift's would take the signal away from libFuzzer.
  SWIFT_BACKTRACE=enable=no "$work/release/fuzz-parsers" "$1" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len="$longest" -reload=0 \
    -print_final_stats=1 -artifact_prefix="$findings/" "$corpus" "$seeds" \
    "${known[@]}"
}

mkdir -p .build/tmp
output=$(TMPDIR=$PWD/.build/tmp swift build -c release --package-path Tests/Fuzz \
  --scratch-path "$work" --product fuzz-parsers 2>&1) || {
  printf '%s\n' "$output" >&2
  exit 1
}

FUZZ_FOLDER=$(mktemp -d -p /dev/shm fuzz-XXXXXX)
export FUZZ_FOLDER
trap 'rm -rf "$FUZZ_FOLDER"' EXIT

# As many at once as there are processors, each for its whole time.
declare -A parser_of=()
failed=0
finish() {
  local ended status=0
  wait -n -p ended || status=$?
  local parser=${parser_of[$ended]} log
  log=$work/$parser.log
  unset "parser_of[$ended]"
  if ((status == 0)); then
    printf '%-15s %s runs, %s inputs worth keeping\n' "$parser" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
      "$(find "$work/corpus/$parser" -type f | wc -l)"
  else
    failed=1
    tail -n 40 "$log" >&2
    echo "fuzz.sh: $parser broke; the input is in $work/findings/$parser, see $log" >&2
  fi
}
for parser in "${parsers[@]}"; do
  while ((${#parser_of[@]} >= $(nproc))); do finish; done
  try "$parser" >"$work/$parser.log" 2>&1 &
  parser_of[$!]=$parser
done
while ((${#parser_of[@]})); do finish; done
exit "$failed"
