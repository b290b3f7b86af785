# shellcheck shell=bash
# Sourced by the install scripts: installs Debian packages quietly and without starting services.

# install_packages PACKAGE…: nothing for no packages; fails with the list where apt cannot run.
install_packages() {
    (($# > 0)) || return 0
    local -a as_root=()
    if [[ $(id -u) -ne 0 ]]; then
        if ! command -v sudo >/dev/null; then
            echo "cannot install without root or sudo: $*" >&2
            return 2
        fi
        as_root=(sudo)
    fi
    if ! command -v apt-get >/dev/null; then
        echo "cannot find apt-get: install these by hand: $*" >&2
        return 2
    fi
    echo "installing $*" >&2
    # A package may bring a daemon (rsyslog). Tests start their own; this machine keeps its services.
    local policy=/usr/sbin/policy-rc.d made=no status=0 log
    log=$(mktemp)
    if [[ ! -e $policy ]]; then
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 0755 "$policy"
        made=yes
    fi
    local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y
        -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120)
    # The lists of a fresh image are empty or old: try without them, then refresh once.
    "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1 </dev/null ||
        { "${apt[@]}" update >"$log" 2>&1 </dev/null &&
            "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; } ||
        status=$?
    [[ $made == no ]] || "${as_root[@]}" rm -f "$policy"
    ((status == 0)) || { tail -n 20 "$log" >&2; echo "cannot install $*" >&2; }
    rm -f "$log"
    return "$status"
}
