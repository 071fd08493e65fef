#!/usr/bin/env bash
#
# Builds, runs, tests, measures and packages stats-recording on Debian. `./build.sh help` lists the
# commands.

set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
PATH+=:/usr/sbin:/sbin # where Debian puts mosquitto; not on the PATH of every user

usage() {
  cat <<'END'
usage: ./build.sh [COMMAND]

  [package] [--arch amd64|arm64|armhf]... [--all]
          build the Debian packages, debs/stats-recording_<version>_<arch>.deb and its debug symbols;
          without an option for this machine
  build [--arch amd64|arm64|armhf]... [--all]
          build the device programs: .build/<arch>/release/<program>;
          without an option for this machine
  run [--broker HOST[:PORT]] [--interval TIME]
          build, start the bridge and every collector that this machine supports, and show their
          messages until Ctrl-C; with a private Mosquitto unless a broker is named; TIME is 1s
          unless set
  tools   build the Debian package of the host tool for this machine,
          debs/stats-recording-tools_<version>_<arch>.deb
  stage [--arch ARCHITECTURE] FOLDER
          build, and install the programs, units and man pages under FOLDER
  test [--filter REGEX]...
          check the sources, build for all architectures, run the tests (those that match);
          without a filter also a minute of all programs under valgrind, a million random
          records, libFuzzer on each parser for 10 s, and the address and thread sanitizers;
          with CI=true in the environment a skipped test is a failure
  bench [SUITE] [ARGUMENT]...
          build, then measure beside C programs and what Debian and PyPI have: throughput,
          sample, accounting, allocations, growth, latency, footprint, peers; all of it in
          ten minutes
  clean   remove .build and the packages
  help    print this text

What is missing is installed with apt-get, through sudo if need be; only Swift is not. The sysroots
for arm64 and armhf are made once, in ${STATS_CACHE:-${XDG_CACHE_HOME:-~/.cache}/stats-recording};
there the tests also have a Python with psutil from PyPI, and the host tool's packages are built there.
END
}

readonly suite=bookworm
readonly cache=${STATS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stats-recording}

# The C libraries that the device programs use, and what else a sysroot consists of.
readonly libraries=(
  libmosquitto-dev libssl-dev libdbus-1-dev libsystemd-dev libsensors-dev libdlt-dev libbpf-dev
)
readonly sysroot_packages=(libc6-dev libgcc-12-dev linux-libc-dev "${libraries[@]}")
# What a Debian system consists of that is booted by the tests, and what they install there.
readonly root_packages=(systemd systemd-sysv dbus)
readonly root_downloads=(
  dlt-daemon dlt-tools libbpf1 libjs-dygraphs libsqlite3-0 libstdc++6 mosquitto mosquitto-clients
  systemd-coredump "${libraries[@]}"
)
# libdtrace, its header, and what the host tool needs of the system that it is run in; Debian has libdtrace
# from this release on.
readonly dtrace_suite=forky
readonly dtrace_packages=(libdtrace2 libdtrace2-dev libbpf1)
# dpkg-shlibdeps(1) reads programs with objdump(1) of their architecture.
readonly package_tools=(dpkg-dev binutils)
readonly sysroot_tools=(mmdebstrap debian-archive-keyring)
readonly test_tools=(
  mosquitto mosquitto-clients qemu-user-static
  acct bpftrace bsdutils chromium chromium-driver cmake curl dbus-daemon dlt-daemon dlt-tools
  docker-compose e2fsprogs fish fonts-dejavu-core gcc git influxdb iproute2 jq libbpf-dev libjs-dygraphs lintian lm-sensors
  mandoc mount nftables openssl procps prometheus-node-exporter python3 python3-jinja2 python3-venv
  python3-yaml shellcheck sqlite3 strace systemd systemd-container systemd-journal-remote
  systemtap-sdt-dev tmux util-linux valgrind victoria-metrics zsh
)

die() {
  echo "build.sh: $*" >&2
  exit 1
}

# For a wrong command line.
misuse() {
  echo "build.sh: $*; see ./build.sh help" >&2
  exit 2
}

# ---- What is needed ------------------------------------------------------------------------------

as_root() {
  if ((EUID)); then sudo "$@"; else "$@"; fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}

# need PURPOSE PACKAGE...: installs those packages that are missing.
need() {
  local purpose=$1 missing how='' status=0
  shift
  mapfile -t missing < <(comm -23 <(printf '%s\n' "$@" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
      sed -n 's/^installed //p' | sort -u))
  ((${#missing[@]})) || return 0

  if ((EUID)); then
    command -v sudo >/dev/null || die "needed $purpose, as root: apt-get install ${missing[*]}"
    how=', with sudo'
  fi
  echo "Installing what is needed $purpose$how: ${missing[*]}" >&2

  # These start with their package, now and at every boot, which nobody asked for here: a broker on
  # port 1883, accounting. deb-systemd-invoke leaves out a unit that is masked; RUNLEVEL means nothing
  # to it.
  local package quiet_units=()
  if [[ -d /run/systemd/system ]]; then
    for package in mosquitto acct collectd-core dlt-daemon influxdb lm-sensors netdata-core \
      prometheus-node-exporter victoria-metrics; do
      if [[ " ${missing[*]} " == *" $package "* ]]; then
        quiet_units+=("${package%-core}.service")
      fi
    done
  fi
  if ((${#quiet_units[@]})); then
    as_root systemctl mask --runtime --quiet "${quiet_units[@]}" 2>/dev/null || true
  fi

  # `apt-get update` touches this folder; without package lists it does not exist.
  if [[ -z $(find /var/lib/apt/lists/partial -maxdepth 0 -mtime -1 2>/dev/null) ]] ||
    ! apt_install "${missing[@]}" 2>/dev/null; then
    as_root apt-get update -qq || true # perhaps the old lists will do
    apt_install "${missing[@]}" || status=$?
  fi

  if ((${#quiet_units[@]})); then
    as_root systemctl unmask --runtime --quiet "${quiet_units[@]}"
    as_root systemctl disable --quiet "${quiet_units[@]}" 2>/dev/null || true
  fi
  return "$status"
}

# Sets swift_resources, the folder of Swift's own libraries.
need_swift() {
  local info version=none
  if info=$(swiftc -print-target-info 2>/dev/null); then
    version=$(sed -nE 's/.*"compilerVersion": ".*Swift version ([0-9.]+).*/\1/p' <<<"$info")
    swift_resources=$(sed -nE 's/.*"runtimeResourcePath": "(.*)".*/\1/p' <<<"$info")
  fi
  if [[ $version == none ]] || ! printf '%s\n' 6.2 "$version" | sort -C -V; then
    die "Swift 6.2 or newer is needed (found: $version): https://www.swift.org/install/linux/"
  fi
}

# need_unpacked PACKAGE...: the files of packages, as .build/tools/<package>, for those that would
# change this machine if they were installed, such as its core_pattern.
need_unpacked() {
  local package version folder
  mkdir -p .build/tools
  for package; do
    if ! version=$(apt-cache show --no-all-versions "$package" 2>/dev/null); then
      as_root apt-get update -qq
      version=$(apt-cache show --no-all-versions "$package")
    fi
    version=$(sed -n 's/^Version: //p' <<<"$version")
    folder=$cache/packages/$package-$version
    if [[ ! -d $folder ]]; then
      echo "Unpacking $package into $folder" >&2
      mkdir -p "$folder.partial"
      # Relative: apt-get downloads into the working folder.
      (cd "$folder.partial" && apt-get download -qq "$package" 2>/dev/null && dpkg-deb -x ./*.deb .)
      mv -T "$folder.partial" "$folder"
    fi
    ln -sfnT "$folder" ".build/tools/$package"
  done
}

# whole FOLDER COMMAND...: the command makes the folder that is its last argument. There is all of it then or,
# when it was interrupted, nothing; who asks for it at the same time waits. A mirror may fail once.
whole() (
  folder=$1 partial=$1.partial status=0
  shift
  mkdir -p "$(dirname "$folder")"
  exec {lock}<"$(dirname "$folder")"
  flock "$lock"
  [[ ! -d $folder ]] || exit 0
  trap 'rm -rf "$partial"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  for attempt in 1 2 3; do
    rm -rf "$partial" # what the last attempt left, or a power cut
    set +e # a condition would let the command go on after an error
    (
      set -e
      "$@" "$partial"
    )
    status=$?
    set -e
    if ((!status)); then
      mv -T "$partial" "$folder"
      exit 0
    fi
    echo "build.sh: attempt $attempt of 3 to make $folder failed with status $status, see above" >&2
  done
  exit "$status"
)

# need_root SUITE: a small Debian system, linked as .build/root-<suite>; the tests boot it with
# systemd-nspawn and change nothing in it. What they install there it has downloaded.
need_root() {
  local version root
  version=$({ declare -p root_packages root_downloads && declare -f make_root; } | sha256sum)
  root=$cache/roots/$1-${version::12}
  if [[ ! -d $root ]]; then
    need 'to make a system to boot' "${sysroot_tools[@]}"
    as_root bash -euo pipefail -c "$(declare -p suite root_packages root_downloads &&
      declare -f whole debian_mirror make_root); whole ${root@Q} make_root ${1@Q}"
  fi
  ln -sfnT "$root" ".build/root-$1"
}

# make_root SUITE FOLDER, as root.
make_root() {
  local mirror packages
  mirror=$(debian_mirror)
  echo "Making a Debian system of $1 to boot from $mirror" >&2
  packages=$(IFS=, && echo "${root_packages[*]}")
  # shellcheck disable=SC2016
  mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" --skip=cleanup/apt \
    --aptopt='APT::Install-Recommends "false"' --customize-hook='
      APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get install -qq --yes --download-only \
        '"${root_downloads[*]}"' >/dev/null' \
    "$1" "$2" "$mirror"
}

# need_dtrace_root: a small Debian system with libdtrace, linked as .build/root-dtrace; the tests run a
# program in it that traces this machine, and change nothing in it.
need_dtrace_root() {
  local version root
  version=$({
    declare -p dtrace_suite dtrace_packages && declare -f make_dtrace_root bare_kernel
  } | sha256sum)
  root=$cache/roots/dtrace-${version::12}
  if [[ ! -d $root ]]; then
    need 'to make a system with libdtrace' "${sysroot_tools[@]}" perl-base
    as_root bash -euo pipefail -c "$(declare -p suite dtrace_suite dtrace_packages &&
      declare -f whole debian_mirror make_dtrace_root bare_kernel); whole ${root@Q} make_dtrace_root"
  fi
  ln -sfnT "$root" .build/root-dtrace
}

# make_dtrace_root FOLDER, as root. A mirror that lags behind will do, since nothing of this is installed
# anywhere.
make_dtrace_root() {
  local mirror packages
  mirror=$(debian_mirror)
  echo "Making a Debian system of $dtrace_suite with libdtrace from $mirror" >&2
  packages=$(IFS=, && echo "${dtrace_packages[*]}")
  if ! mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
    "$dtrace_suite" "$1" "$mirror"; then
    echo "build.sh: $mirror has no $dtrace_suite with ${dtrace_packages[*]}, see above" >&2
    exit 1
  fi
  bare_kernel "$1"
}

# bare_kernel ROOT: libdtrace's own D programs as /opt/dtrace, without what kernels lack that were built
# without KALLSYMS_ALL.
bare_kernel() {
  local folders
  folders=("$1"/usr/lib/*/dtrace)
  cp -r "${folders[0]}" "$1/opt/dtrace"
  perl -0pi -e 's/stringof\(\(\(struct blk_major_name \*\*\)&vmlinux`major_names\)\[.*?\]->name\)/""/sg' \
    "$1"/opt/dtrace/*/io.d
}

# need_foreign_root ARCHITECTURE: what the package of another architecture depends on, and nothing
# else, unpacked as .build/root-<arch>; the tests run the programs in it with qemu.
need_foreign_root() {
  local arch=$1 depends version root
  # The first of alternatives; versions are for those who install it.
  depends=$(dpkg-deb --field "debs/stats-recording_"*"_$arch.deb" Depends |
    sed -E 's/ *\([^)]*\)//g; s/ *\|[^,]*//g; s/ //g')
  version=$({ echo "$depends" && declare -f make_foreign_root; } | sha256sum)
  root=$cache/roots/$arch-${version::12}
  if [[ ! -d $root ]]; then
    need "to make a system of $arch" "${sysroot_tools[@]}"
    whole "$root" make_foreign_root "$arch" "$depends"
  fi
  ln -sfnT "$root" ".build/root-$arch"
}

# make_foreign_root ARCHITECTURE DEPENDS FOLDER
make_foreign_root() {
  local mirror
  mkdir "$3"
  mirror=$(debian_mirror)
  echo "Making a Debian system of $1 from $mirror" >&2
  mmdebstrap --quiet --mode=chrootless --variant=extract --architectures="$1" --include="$2" \
    "$suite" - "$mirror" | tar -x -C "$3" --no-same-owner --exclude='./dev/*'
}

# From PyPI: the witness for what cyclic-file-read tells.
need_psutil() {
  local folder=$cache/python
  if "$folder/bin/python3" -c 'import psutil' 2>/dev/null; then return; fi
  echo "Installing psutil into $folder" >&2
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check psutil
}

# The Python that Home Assistant wants, where there is one.
home_assistant_python() {
  local python
  for python in python3.13 ~/.pyenv/versions/3.13*/bin/python3; do
    if "$python" -c 'import venv' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
}

# need_home_assistant PYTHON: Home Assistant itself, from PyPI, linked as .build/homeassistant: the witness for what we
# publish for it.
need_home_assistant() {
  local folder version
  version=$({ declare -f make_home_assistant && cat Tests/Tools/home-assistant.txt; } | sha256sum)
  folder=$cache/homeassistant-${version::12}
  if [[ ! -d $folder ]]; then
    echo "Installing Home Assistant into $folder" >&2
    whole "$folder" make_home_assistant "$1" || return 1
  fi
  ln -sfnT "$folder" .build/homeassistant
}

# make_home_assistant PYTHON FOLDER; in a condition, where `set -e` does nothing. Of what else Home Assistant names
# nothing is imported.
make_home_assistant() {
  local install=("$2/bin/python" -m pip --quiet --disable-pip-version-check install --no-deps)
  "$1" -m venv "$2" &&
    "${install[@]}" --requirement Tests/Tools/home-assistant.txt &&
    "${install[@]}" homeassistant==2025.4.4
}

# ---- Building ------------------------------------------------------------------------------------

# SwiftPM's output is of interest only if something is wrong, and a warning is.
swift_build() {
  local output
  # SwiftPM leaves empty folders behind where it finds TMPDIR.
  mkdir -p .build/tmp
  if ! output=$(TMPDIR=$PWD/.build/tmp swift build "$@" 2>&1) || [[ $output == *warning:* ]]; then
    printf '%s\n' "$output" >&2
    die 'SwiftPM failed or warned, see above'
  fi
}

# Debian's headers and libraries of an architecture, linked as .build/sysroot/<arch>; nothing in
# there is ever run, but by qemu.
need_sysroot() {
  local arch=$1 version sysroot
  # Whatever decides what is in a sysroot.
  version=$({
    declare -p suite sysroot_packages library_papers && declare -f make_sysroot
  } | sha256sum)
  sysroot=$cache/sysroot/$arch-${version::12}
  if [[ ! -d $sysroot ]]; then
    need "to make the $arch sysroot" "${sysroot_tools[@]}"
    whole "$sysroot" make_sysroot "$arch"
  fi
  mkdir -p .build/sysroot
  ln -sfnT "$(realpath "$sysroot")" ".build/sysroot/$arch"
}

# The mirror that this machine uses.
debian_mirror() {
  local mirror
  read -r mirror < <(apt-get indextargets --format "\$(REPO_URI)" \
    'Origin: Debian' "Codename: $suite" 'Created-By: Packages') || mirror=http://deb.debian.org/debian
  echo "$mirror"
}

# A hook of mmdebstrap(1): of all packages what deb-symbols(5) and deb-shlibs(5) say about libraries, so
# that dpkg-shlibdeps(1) takes the sysroot for a package that has them all.
# shellcheck disable=SC2016
readonly library_papers='
  mkdir "$1/DEBIAN"
  for package in "$1"/var/cache/apt/archives/*.deb; do
    for paper in symbols shlibs; do
      if dpkg-deb --info "$package" | grep -q " $paper *\$"; then
        dpkg-deb --info "$package" "$paper" >>"$1/DEBIAN/$paper"
      fi
    done
  done'

# make_sysroot ARCHITECTURE FOLDER
make_sysroot() {
  local mirror packages link target
  mkdir "$2"
  mirror=$(debian_mirror)
  echo "Making the $1 sysroot from $mirror" >&2
  # Nothing is installed, so there is nothing to run, no chroot and no need of root.
  packages=$(IFS=, && echo "${sysroot_packages[*]}")
  mmdebstrap --quiet --mode=chrootless --variant=extract --architectures="$1" \
    --include="$packages" --extract-hook="$library_papers" "$suite" - "$mirror" |
    tar -x -C "$2" --no-same-owner --transform='s,^\./lib,./usr/lib,SH' \
      ./DEBIAN ./lib ./usr/include ./usr/lib
  # One folder of libraries, as Debian installs it; qemu-arm finds nothing in a second one.
  ln -s usr/lib "$2/lib"

  # Absolute links, such as libm.so -> /lib/<triplet>/libm.so.6, dangle in a sysroot, and the linker
  # would take libm.a without a word.
  find "$2" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link target; do
    if [[ -e $2$target ]]; then ln -srf "$2$target" "$link"; fi
  done
}

# Every program is for the device, except the host tool, which needs regular Swift.
device_programs() {
  local main
  for main in Sources/*/main.swift; do
    main=${main#Sources/}
    [[ $main == stats-recording/* ]] || echo "${main%/main.swift}"
  done
}

# What the tests run on all architectures too, built like a device program.
test_programs=()

native_architecture() {
  dpkg --print-architecture
}

# Of amd64 there is no sysroot: its programs are built with the machine's own headers and libraries.
all_architectures() {
  if [[ $(native_architecture) == amd64 ]]; then echo amd64; fi
  echo arm64
  echo armhf
}

# What trace-consumer gives to the kernel, .build/bpf/*: byte code for every architecture with 64-bit
# kernels. llvm-objcopy takes the debug information away and leaves BTF, which describes the maps.
build_bpf() {
  local source object tools=${swift_resources%/lib/swift}/bin
  need 'to build' libbpf-dev
  mkdir -p .build/bpf
  for source in Sources/trace-consumer/bpf/*.bpf.c; do
    object=.build/bpf/$(basename "${source%.c}").o
    if [[ $object -ot $source || $object -ot Sources/trace-consumer/bpf/trace.h ]]; then
      "$tools/clang" -target bpf -O2 -g -Wall -Werror "-ffile-prefix-map=$PWD=." \
        -isystem "/usr/include/$(uname -m)-linux-gnu" -c "$source" -o "$object.partial"
      "$tools/llvm-objcopy" --strip-debug "$object.partial"
      mv "$object.partial" "$object"
    fi
  done
  cp -u Sources/trace-consumer/bpf/*.manifest .build/bpf
}

# build ARCHITECTURE...
build() {
  local arch triple program programs flags pkgconfig
  need_swift
  build_bpf
  mapfile -t programs < <(device_programs)
  programs+=("${test_programs[@]}")
  for arch; do
    case $arch in
      amd64) triple=x86_64-unknown-linux-gnu ;;
      arm64) triple=aarch64-none-none-elf ;;
      armhf) triple=armv7-none-none-eabi ;;
      *) misuse "unknown architecture $arch" ;;
    esac
    if [[ $arch == amd64 ]]; then
      need 'to build' "${libraries[@]}"
    else
      need_sysroot "$arch"
    fi
    # What pkg-config knows of this machine's own libraries is wrong for another architecture.
    pkgconfig=(.build/sysroot/"$arch"/usr/lib/*/pkgconfig)
    [[ -d ${pkgconfig[0]} ]] || pkgconfig=("/usr/lib/$(uname -m)-linux-gnu/pkgconfig")
    flags=(
      --pkg-config-path "${pkgconfig[0]}"
      -c release --disable-local-rpath --triple "$triple" --toolset "cmake/toolset.$arch.json"
      --scratch-path ".build/$arch" --explicit-target-dependency-import-check error
      # No path of this machine in the programs.
      -Xswiftc -file-prefix-map -Xswiftc "$PWD=." -Xcc "-ffile-prefix-map=$PWD=."
      # Nor a hash of it, which is there for the next build.
      -Xswiftc -Xfrontend -Xswiftc -disable-incremental-llvm-codegen
      # For comparing strings; the linker drops it where it is not used.
      -Xlinker "$swift_resources/embedded/$triple/libswiftUnicodeDataTables.a"
    )
    # One by one, since SwiftPM would build the host tool too.
    for program in "${programs[@]}"; do
      swift_build "${flags[@]}" --product "$program"
      echo ".build/$arch/release/$program"
    done
  done
}

# Sets architectures to those that the options name, and rest to what else stands there.
architectures_of() {
  architectures=() rest=()
  while (($#)); do
    case $1 in
      --arch)
        [[ ${2-} ]] || misuse '--arch needs an architecture'
        architectures+=("$2")
        shift
        ;;
      --all) mapfile -t architectures < <(all_architectures) ;;
      *) rest+=("$1") ;;
    esac
    shift
  done
  ((${#architectures[@]})) || architectures=("$(native_architecture)")
}

command_build() {
  architectures_of "$@"
  ((${#rest[@]} == 0)) || misuse "build: unknown option ${rest[0]}"
  build "${architectures[@]}"
}

# Of build.sh's own commands the one that is meant where none is named.
command_package() {
  architectures_of "$@"
  ((${#rest[@]} == 0)) || misuse "package: unknown option ${rest[0]}"
  package "${architectures[@]}"
}

# package ARCHITECTURE...: the packages of older versions go, so that what is in debs/ belongs together.
package() {
  local arch
  build "$@" >&2
  for arch; do
    rm -f "debs/stats-recording_"*"_$arch.deb" "debs/stats-recording-dbgsym_"*"_$arch.deb"
    put_together deb "$arch"
  done
}

command_stage() {
  architectures_of "$@"
  ((${#rest[@]} == 1 && ${#architectures[@]} == 1)) || misuse 'stage needs one folder'
  build "${architectures[@]}" >&2
  put_together stage "${architectures[0]}" "$(realpath -m "${rest[0]}")"
}

# put_together stage|deb ARCHITECTURE [FOLDER]: from what is built.
put_together() {
  local tools=("${package_tools[@]}")
  case $2 in
    arm64) tools+=(binutils-aarch64-linux-gnu) ;;
    armhf) tools+=(binutils-arm-linux-gnueabihf) ;;
  esac
  need 'to package' "${tools[@]}"
  PROGRAMS=$(device_programs | paste -sd ' ') OBJCOPY=${swift_resources%/lib/swift}/bin/llvm-objcopy \
    debs/package.sh "$@"
}

command_clean() {
  rm -rf .build debs/*.deb
}

# ---- The host tool -------------------------------------------------------------------------------

readonly tool_libraries=(libbpf-dev libmosquitto-dev libssl-dev libsqlite3-dev zlib1g-dev)

# Sets tool, the options for a package of its own, and tool_built, the folder of what is built. Its
# packages take minutes to build: they are outside the checkout, so that another one has them too.
need_tool() {
  local version
  need_swift
  need 'to build the host tool' "${tool_libraries[@]}"
  version=$(swiftc --version 2>/dev/null | sha256sum)
  tool_built=$cache/tools/${version::12}
  mkdir -p "$tool_built"
  tool=(
    --package-path Sources/stats-recording --scratch-path "$tool_built" --disable-xctest
    --explicit-target-dependency-import-check error
  )
}

# Other people's packages have warnings; in ours they are errors.
build_tool() {
  local output
  mkdir -p .build/tmp
  if ! output=$(TMPDIR=$PWD/.build/tmp swift build "${tool[@]}" "$@" 2>&1); then
    printf '%s\n' "$output" >&2
    die 'SwiftPM failed, see above'
  fi
}

command_tools() {
  (($# == 0)) || misuse "tools: unknown option $1"
  need_tool
  need 'to package' "${package_tools[@]}" python3
  echo 'Building the host tool; the first time takes some minutes' >&2
  build_tool -c release --static-swift-stdlib --product stats-recording
  TOOL=$tool_built/release/stats-recording put_together tools "$(native_architecture)"
}

# ---- Running -------------------------------------------------------------------------------------

started=() # process ids, in the order of starting
declare -A name_of=()

# start NAME COMMAND...: in the background with $folder/NAME.log as its stderr, and in a session of
# its own: Ctrl-C then reaches only this script, which stops everything in the right order.
start() {
  setsid -- "${@:2}" 2>"$folder/$1.log" &
  started+=("$!")
  name_of[$!]=$1
}

stop() {
  local pid=$1 tenth
  kill -TERM "$pid" 2>/dev/null || return 0
  for ((tenth = 0; tenth < 50; tenth++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  echo "build.sh: ${name_of[$pid]} does not stop on SIGTERM, killing it" >&2
  kill -KILL "$pid" 2>/dev/null
}

# The collectors first, then the bridge, which can still empty their queues, the broker last.
stop_everything() {
  local index
  trap '' HUP INT TERM
  set +e # such as for messages to a terminal that is gone
  for ((index = ${#started[@]} - 1; index >= 0; index--)); do
    stop "${started[index]}"
  done
  wait
  "$bin/$bridge" --config /dev/null --remove-queues --queue-prefix "$queue_prefix"
  rm -rf "$folder"
}

# Sets port.
start_broker() {
  local log=$folder/mosquitto.log attempt
  for attempt in {1..20}; do
    port=$((20000 + RANDOM % 10000)) # below the ports that Linux gives to clients
    printf '%s\n' "listener $port 127.0.0.1" 'allow_anonymous true' 'log_dest stderr' \
      >"$folder/mosquitto.conf"
    start mosquitto mosquitto -c "$folder/mosquitto.conf"
    while kill -0 "$!" 2>/dev/null; do
      if grep -q ' running$' "$log"; then return; fi
      sleep 0.05
    done
    unset 'started[-1]' # most likely because the port is in use
  done
  cat "$log" >&2
  die "cannot start mosquitto, tried $attempt ports"
}

# Prints lines of `time<tab>topic<tab>flat JSON` as time, topic without the prefix, and key=value.
show_messages() {
  local interactive=()
  # Without it mawk waits until a buffer is full; other awks do not know the option.
  if [[ $(realpath "$(command -v awk)") == */mawk ]]; then interactive=(-W interactive); fi
  awk "${interactive[@]}" -F '\t' -v prefix="$1" '
    {
      rest = $3
      pairs = ""
      while (match(rest, /"[^"]+":("([^"\\]|\\.)*"|[^,}]*)/)) {
        pair = substr(rest, RSTART + 1, RLENGTH - 1)
        rest = substr(rest, RSTART + RLENGTH)
        end = index(pair, "\"")
        key = substr(pair, 1, end - 1)
        if (key !~ /^(v|time|boot_id|instance)$/) pairs = pairs " " key "=" substr(pair, end + 2)
      }
      print $1 "  " substr($2, length(prefix) + 1) " " (pairs == "" ? " " $3 : pairs)
      fflush()
    }'
}

# Sets own to the options that a collector needs where nothing is installed.
options_of() {
  own=(--config /dev/null)
  if [[ $1 == trace-consumer ]]; then own+=(--folder "$PWD/.build/bpf"); fi
}

# Sets supported to the collectors whose source this machine has, and tells why others are not.
try_collectors() {
  local program pid status own
  local -A trial=()
  supported=()
  for program in "$@"; do
    options_of "$program"
    start "$program" timeout 10 "$bin/$program" "${own[@]}" --once >/dev/null
    trial[$program]=$!
  done
  for program in "$@"; do
    status=0
    wait "${trial[$program]}" || status=$?
    case $status in
      0) supported+=("$program") ;;
      124) echo "not started: $program: no sample within 10 s" ;;
      *) echo "not started: $(tail -n 1 "$folder/$program.log")" ;;
    esac
  done
  started=()
}

command_run() {
  local host='' port=1883 interval=1s
  while (($#)); do
    case $1 in
      --broker)
        [[ ${2-} =~ ^([^:]+)(:([0-9]+))?$ ]] || misuse '--broker needs HOST or HOST:PORT'
        host=${BASH_REMATCH[1]} port=${BASH_REMATCH[3]:-1883}
        ;;
      --interval)
        [[ ${2-} ]] || misuse '--interval needs a time'
        interval=$2
        ;;
      *) misuse "run: unknown option $1" ;;
    esac
    shift 2
  done
  need 'to see the messages' mosquitto-clients
  [[ $host ]] || need 'for a broker of its own' mosquitto
  echo 'Building' >&2
  build "$(native_architecture)" >/dev/null

  # Not local: the trap needs them.
  bridge=posix-mq-to-mqtt-bridge
  bin=$PWD/.build/$(native_architecture)/release
  queue_prefix=/stats-run-$$.
  folder=$(mktemp -d)
  trap stop_everything EXIT
  trap 'exit 129' HUP
  trap 'exit 0' INT
  trap 'exit 143' TERM

  local device programs supported program own options messages ended='' status=0
  device=$(uname -n | tr -c '[:alnum:]\n' -)
  mapfile -t programs < <(device_programs | grep -vx "$bridge")
  try_collectors "${programs[@]}"

  if [[ ! $host ]]; then
    host=127.0.0.1
    start_broker
  fi
  exec {messages}> >(trap '' INT && show_messages "stats/$device/")
  start mosquitto_sub mosquitto_sub -h "$host" -p "$port" -t "stats/$device/#" \
    -F '@H:@M:@S\t%t\t%p' >&"$messages"
  exec {messages}>&- # so that awk ends with mosquitto_sub
  start "$bridge" "$bin/$bridge" --config /dev/null --host "$host" --port "$port" \
    --queue-prefix "$queue_prefix" --device-id "$device"
  for program in "${supported[@]}"; do
    options_of "$program"
    options=("${own[@]}" --queue-prefix "$queue_prefix")
    # What waits for events has no interval.
    if [[ $("$bin/$program" --help) == *--interval* ]]; then options+=(--interval "$interval"); fi
    start "$program" "$bin/$program" "${options[@]}"
  done
  echo "started: $bridge ${supported[*]}"
  echo "in another terminal: mosquitto_sub -h $host -p $port -t 'stats/#' -v"
  echo 'Ctrl-C stops everything'

  local logs=("$bridge" "${supported[@]}")
  logs=("${logs[@]/#/$folder/}")
  start tail tail -q -n +1 -f "${logs[@]/%/.log}" >&2

  wait -n -p ended "${started[@]}" || status=$?
  echo "build.sh: ${name_of[$ended]} ended with status $status; the end of its log:" >&2
  tail -n 5 "$folder/${name_of[$ended]}.log" >&2
  exit 1
}

# ---- Testing -------------------------------------------------------------------------------------

steps=15
step=0

# step TITLE COMMAND...
step() {
  local begin=$SECONDS
  step=$((step + 1))
  echo "[$step/$steps] $1"
  "${@:2}"
  echo "[$step/$steps] took $((SECONDS - begin)) s"
}

command_test() {
  local filters=() architectures host
  while (($#)); do
    case $1 in
      --filter)
        [[ ${2-} ]] || misuse '--filter needs a regular expression'
        filters+=(--filter "$2")
        shift 2
        ;;
      *) misuse "test: unknown option $1" ;;
    esac
  done
  ((${#filters[@]} == 0)) || steps=9
  need 'to test' "${libraries[@]}" "${test_tools[@]}"
  need_psutil
  need_unpacked systemd-coredump
  need_root bookworm
  need_root trixie
  need_dtrace_root
  mapfile -t architectures < <(all_architectures)
  test_programs=(random-records)

  step 'shellcheck' shellcheck build.sh .ci/run Tests/Fuzz/fuzz.sh debs/package.sh debs/scripts/* \
    units/generator units/wait-before-restart
  step 'swift format lint' \
    swift format lint --strict --recursive --parallel Package.swift Sources Tests
  step "packages for ${architectures[*]}" package "${architectures[@]}"
  need_foreign_root arm64
  need_foreign_root armhf
  step 'the package of the host tool' command_tools
  step 'lintian' lintian --fail-on error,warning --allow-root debs/*.deb
  ((${#filters[@]})) || step 'the same packages from another folder' reproduce
  host=(
    --disable-xctest --scratch-path .build/host --explicit-target-dependency-import-check error
  )
  step 'regular Swift' swift_build --build-tests "${host[@]}"
  need_tool
  step 'the host tool' build_tool --build-tests
  if ((${#filters[@]})); then
    step 'swift test' swift_test "${host[@]}" "${filters[@]}"
    step 'tests of the host tool' tool_tests "${filters[@]}"
    return
  fi
  # Eight programs that want all the time of the machine would be in the way of the others.
  step 'swift test' swift_test "${host[@]}" --skip MinuteUnderValgrindTests
  step 'tests of the host tool' tool_tests
  step 'a minute under valgrind' swift_test "${host[@]}" --filter MinuteUnderValgrindTests
  step 'random records' random_records "${architectures[@]}"
  step 'fuzzers' Tests/Fuzz/fuzz.sh --seconds 10
  step 'address sanitizer' sanitized address
  step 'thread sanitizer' sanitized thread
}

# Builds the devices' packages for this machine again, in another folder, at another time and with another
# umask, time zone and language, and compares them byte by byte.
reproduce() {
  local arch folder package epoch
  arch=$(native_architecture)
  folder=$(mktemp -d --suffix=.stats-recording)
  # What the packages say of their own time.
  epoch=$(dpkg-deb --fsys-tarfile "debs/stats-recording_"*"_$arch.deb" | tar --list --verbose \
    --full-time --utc | awk 'NR == 1 { print $4 " " $5 " UTC" }')
  tar --create --exclude=./.build --exclude=./.git --exclude='./debs/*.deb' . |
    tar --extract --directory "$folder"
  if ! (umask 077 && SOURCE_DATE_EPOCH=$(date -d "$epoch" +%s) TZ=Pacific/Auckland LC_ALL=C.UTF-8 \
    "$folder/build.sh" package --arch "$arch" >/dev/null); then
    rm -rf "$folder"
    die 'the copy cannot be built'
  fi
  for package in debs/stats-recording{,-dbgsym}_*"_$arch.deb"; do
    cmp "$package" "$folder/$package" || die "$package is not reproducible; see $folder"
    echo "$package: the same bytes, sha256 $(sha256sum <"$package" | head -c 16)…"
  done
  rm -rf "$folder"
}

# sanitized NAME: the tests of the modules with a sanitizer; the integration tests run programs that
# have none. Debian's default linker, gold, warns about what the address sanitizer exports.
sanitized() {
  local options=(--disable-xctest --sanitize "$1" --scratch-path ".build/$1" -Xswiftc -use-ld=lld)
  swift_build --build-tests "${options[@]}"
  LSAN_OPTIONS=suppressions=Tests/Tools/leaks.suppressions \
    swift_test "${options[@]}" --skip IntegrationTests
}

# emulated ARCHITECTURE PROGRAM ARGUMENT...: runs a program as it was built.
emulated() {
  local command=()
  case $1 in
    "$(native_architecture)") ;;
    arm64) command=(qemu-aarch64-static -L ".build/sysroot/$1") ;;
    armhf) command=(qemu-arm-static -L ".build/sysroot/$1") ;;
  esac
  "${command[@]}" ".build/$1/release/$2" "${@:3}"
}

# A million random records, read by a parser that is not ours; all architectures write the same.
random_records() {
  local native arch seed same pids=() pid
  native=$(native_architecture)
  for seed in 1 2; do
    emulated "$native" random-records --seed "$seed" --count 500000 |
      python3 Tests/Tools/check_published.py --count 500000 --kinds Tests/RecordsTests/Golden &
    pids+=("$!")
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
  same=$(emulated "$native" random-records --seed 3 --count 20000 | sha256sum)
  for arch; do
    [[ $(emulated "$arch" random-records --seed 3 --count 20000 | sha256sum) == "$same" ]] ||
      die "on $arch the records are published in another way"
  done
}

tool_tests() {
  local options=("${tool[@]}") python
  python=$(home_assistant_python)
  if [[ ! $python ]] || ! need_home_assistant "$python"; then
    echo "Without Home Assistant itself, which wants Python 3.13 (found: ${python:-none}) and PyPI" >&2
    options+=(--skip HomeAssistantItselfTests)
  fi
  swift_test "${options[@]}" "$@"
}

swift_test() {
  local log=.build/test.log status=0 skipped
  swift test --skip-build "$@" 2>&1 | tee "$log" || status=$?

  # `➜ Test NAME skipped: "REASON"`; `was cancelled after … seconds: "REASON"` when it said so itself.
  skipped=$(sed -nE 's/^➜ Test (.*) (skipped|was cancelled after [0-9.]+ seconds)/  \1/p' "$log")
  if [[ $skipped ]]; then
    printf 'Skipped:\n%s\n' "$skipped"
    if [[ ${CI-} == true ]]; then die 'in CI no test may be skipped'; fi
  fi
  return "$status"
}

command_bench() {
  need 'to measure' "${libraries[@]}" binutils collectd-core coreutils dbus-bin gcc libc6-dev \
    mosquitto mosquitto-clients netdata-core pkg-config prometheus-node-exporter python3 \
    python3-venv systemd-container util-linux valgrind
  need_root bookworm
  build "$(native_architecture)" >/dev/null
  exec python3 Tests/Benchmarks/bench.py "$@"
}

# --------------------------------------------------------------------------------------------------

case ${1-package} in
  -*)
    if [[ $1 == -h || $1 == --help ]]; then usage; else command_package "$@"; fi
    ;;
  package | tools | stage | build | run | test | bench | clean)
    "command_${1-package}" "${@:2}"
    ;;
  help) usage ;;
  *) misuse "unknown command $1" ;;
esac
