#!/bin/sh
# Installs Bergfried's agent on this host and connects it to the hub that this came from:
#
#   curl -fsSL @URL@/install.sh | sudo BERGFRIED_TOKEN=... sh
#
# Run again, it brings the program up to date. More by the environment:
#   BERGFRIED_NAME   this host's name in events, in place of the system's
#   BERGFRIED_CA     a file of certificates (PEM) to trust, for a hub whose CA is your own
#   BERGFRIED_ROOT   another root directory to install below; nothing is started then
#
# Everything is in a function, so that a download that breaks off does nothing.

install_agent() {
    set -eu
    url='@URL@'
    platform='@PLATFORM@'
    digest='@DIGEST@'
    root=${BERGFRIED_ROOT:-}
    name=${BERGFRIED_NAME:-}
    authorities=${BERGFRIED_CA:-}

    [ -n "${BERGFRIED_TOKEN:-}" ] ||
        fail "BERGFRIED_TOKEN is not set: make one on the console's page Hosts"
    case $BERGFRIED_TOKEN in *[!A-Za-z0-9_.-]*) fail 'BERGFRIED_TOKEN is no token' ;; esac
    case $name in *[!A-Za-z0-9_.-]*) fail 'BERGFRIED_NAME is no name of a host' ;; esac
    [ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail 'only root can install it: use sudo'
    here=$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m)
    [ "$here" = "$platform" ] ||
        fail "this hub has the program for $platform, this host is $here: install bergfried-agent by hand"
    for tool in curl sha256sum install mktemp; do
        command -v "$tool" >/dev/null || fail "$tool is not installed"
    done

    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    [ -z "$authorities" ] || set -- --cacert "$authorities"
    # Not an argument: those are seen by every user of the host.
    printf 'header = "Authorization: Bearer %s"\n' "$BERGFRIED_TOKEN" |
        curl -fsS --config - "$@" -o "$directory/bergfried" "$url/install/bergfried" ||
        fail "cannot fetch the program from $url"
    printf '%s  %s\n' "$digest" "$directory/bergfried" | sha256sum -c - >/dev/null ||
        fail 'the program is not the one that this script is for: fetch the script again'

    install -d -m 0755 "$root/usr/local/bin" "$root/etc/bergfried" "$root/etc/systemd/system"
    install -m 0755 "$directory/bergfried" "$root/usr/local/bin/bergfried.new"
    mv -f "$root/usr/local/bin/bergfried.new" "$root/usr/local/bin/bergfried"
    (umask 077 && printf '%s\n' "$BERGFRIED_TOKEN" >"$directory/token")
    install -m 0600 "$directory/token" "$root/etc/bergfried/token"
    options=
    if [ -n "$authorities" ]; then
        install -m 0644 "$authorities" "$root/etc/bergfried/ca.pem"
        options="$options --ca-file /etc/bergfried/ca.pem"
    fi
    [ -z "$name" ] || options="$options --name $name"
    unit >"$directory/unit"
    install -m 0644 "$directory/unit" "$root/etc/systemd/system/bergfried-agent.service"

    if [ -n "$root" ]; then
        say "installed below $root, nothing was started"
    elif [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl enable --quiet bergfried-agent
        systemctl restart bergfried-agent
        say "installed and started: the console shows this host in a moment ($url/ui/hosts)"
    else
        say "installed. There is no systemd here; this starts it:"
        say "  /usr/local/bin/bergfried agent --hub $url --token-file /etc/bergfried/token$options"
    fi
}

# The service, with what this host was given.
unit() {
    sed "s|@OPTIONS@|$options|" <<'UNIT'
@UNIT@
UNIT
}

say() {
    printf 'bergfried: %s\n' "$*"
}

fail() {
    say "$*" >&2
    exit 1
}

install_agent
