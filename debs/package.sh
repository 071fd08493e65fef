#!/usr/bin/env bash
#
# Puts together what is installed, from what build.sh has built:
#
#   debs/package.sh stage ARCHITECTURE FOLDER    everything but the package's own papers, in FOLDER
#   debs/package.sh deb ARCHITECTURE             the package and its debug symbols, in debs/
#   debs/package.sh tools ARCHITECTURE           the package of the host tool, in debs/
#
# build.sh calls it, with PROGRAMS, OBJCOPY and for the host tool TOOL in the environment. The same sources and the same
# SOURCE_DATE_EPOCH give the same bytes.

set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
umask 022

readonly package=stats-recording
readonly maintainer='the stats-recording authors <maintainers@stats-recording.invalid>'
IFS=" " read -ra programs <<<"${PROGRAMS:?is for build.sh to say}"

# Of the last commit, or of the changelog where there is no repository.
date_of_sources() {
  git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md
}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(date_of_sources)}
export LC_ALL=C TZ=UTC

version() {
  sed -nE 's/.*text: StaticString = "(.*)"/\1/p' Sources/Daemon/Version.swift
}

units() {
  (cd units && ls -- *.service *.socket *.target)
}

# A file with other files of its folder in the place of `#include FILE`.
include() {
  awk -v folder="$(dirname "$1")" '
    /^#include / { while ((getline line < (folder "/" $2)) > 0) print line; next }
    { print }' "$1"
}

# install_text MODE TARGET: from standard input.
install_text() {
  mkdir -p "$(dirname "$2")"
  cat >"$2"
  chmod "$1" "$2"
}

# stage ARCHITECTURE FOLDER
stage() {
  local build=.build/$1/release root=$2 lib=$2/usr/lib program unit page
  for program in "${programs[@]}"; do
    mkdir -p "$root/usr/bin"
    "$OBJCOPY" --strip-all --remove-section=.comment "$build/$program" "$root/usr/bin/$program"
    chmod 755 "$root/usr/bin/$program"
    install_text 644 "$root/etc/$package/$program.conf" <"debs/conf/$program.conf"
  done
  # Byte code, the same for all architectures, and what each program has for its reader.
  for program in .build/bpf/*.manifest; do
    install_text 644 "$lib/$package/trace/${program#.build/bpf/}" <"$program"
    program=${program%.manifest}.bpf.o
    install_text 644 "$lib/$package/trace/${program#.build/bpf/}" <"$program"
  done
  # Their processor is the virtual one in the kernel.
  echo "$package: binary-from-other-architecture [usr/lib/$package/trace/*.bpf.o]" |
    install_text 644 "$root/usr/share/lintian/overrides/$package"
  while read -r unit; do
    include "units/$unit" | install_text 644 "$lib/systemd/system/$unit"
  done < <(units)
  install_text 755 "$lib/systemd/system-generators/$package" <units/generator
  install_text 755 "$root/usr/libexec/$package/wait-before-restart" <units/wait-before-restart
  install_text 644 "$lib/sysusers.d/$package.conf" <units/sysusers.conf
  install_text 644 "$lib/sysctl.d/$package.conf" <units/sysctl.conf
  install_text 644 "$lib/tmpfiles.d/$package.conf" <units/tmpfiles.conf
  for page in man/*.[58]; do
    gzip -9n <"$page" | install_text 644 "$root/usr/share/man/man${page##*.}/${page#man/}.gz"
  done
}

# debug_symbols ARCHITECTURE FOLDER: each under its build id, as gdb(1) looks for it.
debug_symbols() {
  local program id file
  for program in "${programs[@]}"; do
    id=$(build_id "$2/usr/bin/$program")
    file=$3/usr/lib/debug/.build-id/${id::2}/${id:2}.debug
    mkdir -p "$(dirname "$file")"
    "$OBJCOPY" --only-keep-debug --compress-debug-sections=zlib ".build/$1/release/$program" "$file"
    chmod 644 "$file"
  done
}

build_id() {
  readelf -n "$1" | sed -n 's/^ *Build ID: //p'
}

# changelog PACKAGE: Debian's, from CHANGELOG.md: `## VERSION, DATE` and lines that begin with `- `.
changelog() {
  awk -v package="$1" -v maintainer="$maintainer" -v now="$(date -R -d "@$SOURCE_DATE_EPOCH")" '
    # Debian wants short lines.
    function item() {
      count = split(text, word, " ")
      line = "  *"
      for (i = 1; i <= count; i++) {
        if (length(line " " word[i]) > 78) { print line; line = "   " }
        line = line " " word[i]
      }
      if (count) print line
      text = ""
    }
    function trailer() {
      item()
      if (date) print "\n -- " maintainer "  " date "\n"
    }
    /^## / {
      trailer()
      split(substr($0, 4), part, ", ")
      date = now
      if (part[2] ~ /^[0-9]/) {
        command = "date -R -d " part[2]
        command | getline date
        close(command)
      }
      print package " (" part[1] ") unstable; urgency=medium\n"
    }
    /^- / { item(); text = substr($0, 3) }
    /^  / { text = text " " $0 }
    END { trailer() }' CHANGELOG.md
}

# What the libraries that the programs are linked with come from, in the versions that have what is
# used of them. A sysroot has the papers of its packages; this machine knows its own.
depends() {
  local folder=$2/..
  local search=()
  if [[ -d .build/sysroot/$1 ]]; then search=("-S$(realpath ".build/sysroot/$1")"); fi
  mkdir -p "$folder/debian" "$2/DEBIAN"
  printf 'Source: %s\n\nPackage: %s\nArchitecture: any\n' "$package" "$package" \
    >"$folder/debian/control"
  # On Debian 13 libssl3 is libssl3t64; on armhf that is no other name of the same package, but of
  # what is used here nothing has changed.
  (cd "$folder" && DEB_HOST_ARCH=$1 dpkg-shlibdeps -O "${search[@]}" "$2"/usr/bin/*) |
    sed -nE 's/^shlibs:Depends=//; s/libssl3 (\([^)]*\))/libssl3 \1 | libssl3t64 \1/; p'
}

# fill TEMPLATE NAME=VALUE...: @NAME@ becomes VALUE.
fill() {
  local pair edits=()
  for pair in "${@:2}"; do edits+=(-e "s/@${pair%%=*}@/${pair#*=}/g"); done
  sed "${edits[@]}" "$1"
}

# close_package FOLDER CONTROL NAME=VALUE...: writes the control file and the package into debs/.
close_package() {
  local root=$1 name=$package${2#control} size
  size=$(du -k --apparent-size -s "$root" --exclude=DEBIAN | cut -f 1)
  mkdir -p "$root/DEBIAN" && chmod 755 "$root/DEBIAN"
  name=${name/./-}_$(version)_$architecture.deb
  fill "debs/$2" "VERSION=$(version)" "ARCHITECTURE=$architecture" "MAINTAINER=$maintainer" \
    "INSTALLED_SIZE=$size" "${@:3}" | install_text 644 "$root/DEBIAN/control"
  (cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z |
    xargs -0 md5sum) | install_text 644 "$root/DEBIAN/md5sums"
  find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  # One thread: what several write depends on their number.
  dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$root" "debs/$name" >/dev/null
  echo "debs/$name"
}

# deb ARCHITECTURE
deb() {
  local architecture=$1 folder root debug document units script ids=''
  folder=$PWD/.build/package/$architecture
  root=$folder/root debug=$folder/dbgsym
  rm -rf "$folder"
  stage "$architecture" "$root"
  debug_symbols "$architecture" "$root" "$debug"

  document=usr/share/doc/$package
  { cat debs/copyright && sed 's/^$/./; s/^/ /' LICENSE; } |
    install_text 644 "$root/$document/copyright"
  changelog "$package" | gzip -9n | install_text 644 "$root/$document/changelog.gz"
  mkdir -p "$debug/usr/share/doc"
  ln -s "$package" "$debug/$document-dbgsym"

  units=$(units | paste -sd ' ')
  for script in preinst postinst prerm postrm; do
    fill "debs/scripts/$script" "UNITS=$units" | install_text 755 "$root/DEBIAN/$script"
  done
  (cd "$root" && find etc -type f -printf '/%p\n' | sort) |
    install_text 644 "$root/DEBIAN/conffiles"

  close_package "$root" control "DEPENDS=$(depends "$architecture" "$root")"
  ids=$(for script in "$root"/usr/bin/*; do build_id "$script"; done | sort | paste -sd ' ')
  close_package "$debug" control.dbgsym "BUILD_IDS=$ids"
}

# Without what a person made there for a server of their own.
server_files() {
  { git -C debs ls-files server 2>/dev/null | grep . || (cd debs && find server -type f); } |
    grep -v '/\.gitignore$'
}

# tools ARCHITECTURE: the host tool with a manual and completions that it has written itself, and the
# files for a server.
tools() {
  local architecture=$1 root name=$package-tools day document shell target file
  root=$PWD/.build/package/tools/root
  rm -rf "${root%/root}"
  mkdir -p "$root/usr/bin"
  "$OBJCOPY" --strip-all --remove-section=.comment "$TOOL" "$root/usr/bin/$package"
  chmod 755 "$root/usr/bin/$package"
  day=$(date -d "@$SOURCE_DATE_EPOCH" +%F)
  "$TOOL" --experimental-dump-help | debs/manual.py "$day" | gzip -9n |
    install_text 644 "$root/usr/share/man/man1/$package.1.gz"
  gzip -9n <"man/$package-fields.7" | install_text 644 \
    "$root/usr/share/man/man7/$package-fields.7.gz"
  for shell in bash zsh fish; do
    case $shell in
      bash) target=bash-completion/completions/$package ;;
      zsh) target=zsh/vendor-completions/_$package ;;
      fish) target=fish/vendor_completions.d/$package.fish ;;
    esac
    # It is read by a shell, not run: no first line with an interpreter.
    "$TOOL" --generate-completion-script "$shell" | sed '1{/^#!/d}' |
      install_text 644 "$root/usr/share/$target"
  done
  while read -r file; do
    mkdir -p "$root/usr/share/$name/$(dirname "$file")"
    install -m "$([[ -x debs/$file ]] && echo 755 || echo 644)" "debs/$file" \
      "$root/usr/share/$name/$file"
  done < <(server_files)

  # Foundation has its own zlib in it, which it wants where nothing of Swift is installed.
  echo "$name: embedded-library zlib *" |
    install_text 644 "$root/usr/share/lintian/overrides/$name"
  document=usr/share/doc/$name
  { cat debs/copyright && sed 's/^$/./; s/^/ /' LICENSE; } |
    install_text 644 "$root/$document/copyright"
  changelog "$name" | gzip -9n | install_text 644 "$root/$document/changelog.gz"
  close_package "$root" control.tools "DEPENDS=$(depends "$architecture" "$root")"
}

case $1 in
  stage | deb | tools) "$@" ;;
  *) echo "debs/package.sh: unknown command $1" >&2 && exit 2 ;;
esac
