#!/usr/bin/env bash
# Measures the release build on this machine and prints one table; all of it is kept in
# bench/results. What cannot be measured is a row that says why.
#
# Usage: bench/run.sh [--quick] [EVENTS]
#   --quick   100,000 lines and 200,000 stored events instead of 1 and 10 million: to try it
#   EVENTS    how many events are searched, such as 100000000; SQLite needs 400 bytes for each
# Whole processes are timed by hyperfine where it is installed (apt-get install hyperfine), else by
# the shell, the mean of three; memory by /usr/bin/time (apt-get install time).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lines=1000000 stored=10000000 idle=20 detection=() evtx=50 stored_alerts=100000 audit_seconds=30
case ${1:-} in
    '' | [1-9]*) ;;
    --quick) shift; lines=100000 stored=200000 idle=5 detection=(--events 10000 --seconds 0.5) evtx=5 stored_alerts=10000 audit_seconds=5 ;;
    *) echo "bench/run.sh: unknown argument $1, expected --quick or a number" >&2; exit 2 ;;
esac
searched=${1:-$stored}
[[ $searched =~ ^[1-9][0-9]*$ ]] || { echo "bench/run.sh: $searched is no number of events" >&2; exit 2; }

export RUST_BACKTRACE=0 # an error in the table is its last line
results=$PWD/bench/results
work=$(mktemp -d)
children=()
cleanup() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    for child in "${children[@]}"; do wait "$child" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
mkdir -p "$results"
table=$results/table.tsv
: >"$table"

row() { # MEASUREMENT VALUE UNIT GOAL
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}" >>"$table"
    echo "  $1: $2 $3" >&2
}

ended() { # TITLE PID: stops it and waits until it has ended; a row where it was gone before
    local status=0
    kill "$2" 2>/dev/null || row "$1" "-" "failed: it ended before it was stopped"
    wait "$2" || status=$?
    # Stopped by the signal, or by its own hand when the signal came.
    ((status == 0 || status == 143)) || row "$1" "-" "failed: it ended with status $status"
}

# seconds NAME COMMAND: the mean wall-clock seconds of a shell command; its words are kept.
seconds() {
    local name=$1 command=$2
    if command -v hyperfine >/dev/null; then
        hyperfine --style none --warmup 1 --runs 3 --export-csv "$results/$name.csv" "$command" \
            >"$results/$name.log" 2>&1 || return 1
        awk -F , 'NR == 2 { print $(NF - 6) }' "$results/$name.csv"
    else
        local begin=$EPOCHREALTIME
        for _ in 1 2 3; do bash -c "$command" >"$results/$name.log" 2>&1 || return 1; done
        awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", (b - a) / 3 }'
    fi
}

# rates TITLE NAME COMMAND BYTES GOAL: two rows, lines/s and MB/s.
rates() {
    local took
    if ! took=$(seconds "$2" "$3"); then
        row "$1" "-" "failed: $(tail -n 1 "$results/$2.log" | cut -c -120)" "$5"
        return
    fi
    row "$1" "$(awk -v n="$lines" -v s="$took" 'BEGIN { printf "%d", n / s }')" "lines/s" "$5"
    row "$1" "$(awk -v n="$4" -v s="$took" 'BEGIN { printf "%.1f", n / s / 1e6 }')" "MB/s"
}

# peak TITLE COMMAND…: the most memory that a command takes.
peak() {
    local title=$1 memory
    shift
    if [[ ! -x /usr/bin/time ]]; then
        row "$title" "-" "not measured: /usr/bin/time is not installed"
        return
    fi
    memory=$(/usr/bin/time -f '%M' "$@" 2>&1 >/dev/null | tail -n 1) || true
    row "$title" "$(awk -v k="$memory" 'BEGIN { printf "%.1f", k / 1024 }')" "MiB"
}

# measured NAME COMMAND…: the rows that a command prints.
measured() {
    local name=$1 measurement value unit goal
    shift
    if "$@" >"$results/$name.tsv" 2>"$results/$name.log"; then
        while IFS=$'\t' read -r measurement value unit goal; do
            row "$measurement" "$value" "$unit" "$goal"
        done <"$results/$name.tsv"
    else
        row "$name" "-" "failed: $(tail -n 1 "$results/$name.log" | cut -c -160)"
    fi
}

free_port() {
    local port
    for _ in {1..50}; do
        port=$((RANDOM % 20000 + 20000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    return 1
}

# wait_until SECONDS COMMAND…: tries every 0.1 s.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# cpu_ticks PID: user and system time that the process has taken, in clock ticks.
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# divan_medians: from divan's table, each benchmark and its median, as a rate where it counts items.
divan_medians() {
    awk '
        { sub(/^(│|├|╰|─| )+/, "") }
        split($0, cell, /│/) < 5 || cell[3] !~ /[0-9]/ { next }
        { gsub(/^ +| +$/, "", cell[3]) }
        cell[1] ~ /^[0-9.]+ [A-Za-z]*\/s *$/ { median = cell[3]; next }
        { if (name) print name "\t" median; name = cell[1]; median = cell[3] }
        { sub(/ +[0-9.]+ [^ ]+ *$/, "", name) }
        END { if (name) print name "\t" median }'
}

echo "building" >&2
cargo build --release --locked -q -p bergfried -p bergfried-agent-bin -p bergfried-bench \
    -p bergfried-correlate
binaries=${CARGO_TARGET_DIR:-target}/release
binaries=$(cd "$binaries" && pwd)
bergfried=$binaries/bergfried

echo "making input: $lines lines" >&2
corpus=../shared/corpora/syslog/loghub_OpenSSH.log
[[ -r $corpus ]] || corpus=corpus/recorded/traditional.log
repeat() { # FILE LINES: the file over and over, each line with its line feed
    awk '{ text[NR] = $0 } END { for (i = 0; i < n; i++) print text[i % NR + 1] }' n="$2" "$1"
}
repeat "$corpus" "$lines" >"$work/ssh.log"
"$binaries/bergfried-bench-generate" lines "$lines" >"$work/mixed.log"
"$binaries/bergfried-bench-generate" lines "$lines" --mix calm >"$work/calm.log"
"$binaries/bergfried-bench-generate" rules 15 "$work/rules15"
"$binaries/bergfried-bench-generate" rules 500 "$work/rules500"
ssh_bytes=$(stat -c %s "$work/ssh.log")
mixed_bytes=$(stat -c %s "$work/mixed.log")

echo "scan and parse" >&2
one_core=(taskset -c 0)
command -v taskset >/dev/null || one_core=()
scan="$bergfried scan --format json"
rates "scan, built-in rules, sshd lines" scan "$scan $work/ssh.log >/dev/null" "$ssh_bytes" ""
rates "scan, built-in rules, sshd lines, one core" scan-one-core \
    "${one_core[*]} $scan $work/ssh.log >/dev/null" "$ssh_bytes" "300000 lines/s"
rates "parse to JSON, sshd lines, one core" parse-one-core \
    "${one_core[*]} $bergfried parse $work/ssh.log >/dev/null" "$ssh_bytes" ""
rates "scan, built-in rules, mixed lines" scan-mixed "$scan $work/mixed.log >/dev/null" \
    "$mixed_bytes" ""
for count in 15 500; do
    rates "scan, $count generated rules, mixed lines, one core" "scan-$count" \
        "${one_core[*]} $scan --rules $work/rules$count $work/mixed.log >/dev/null" "$mixed_bytes" ""
done
peak "scan, peak memory" "$bergfried" scan --format json "$work/ssh.log"

# The same rules and lines in the same run; both on one core, their starts included.
echo "correlate" >&2
correlate="${one_core[*]} $binaries/bergfried-correlate --notail --input=$work/ssh.log"
for rules in ssh nothing; do
    goal=$([[ $rules = ssh ]] && echo "20 times sec" || echo "10 times sec")
    ours=$(seconds "correlate-$rules" "$correlate --conf=bench/correlate/$rules.sec") || ours=
    theirs=
    if command -v sec >/dev/null; then
        theirs=$(seconds "sec-$rules" \
            "${one_core[*]} sec --notail --input=$work/ssh.log --conf=bench/correlate/$rules.sec") || theirs=
    fi
    title="correlate, rules that match $([[ $rules = ssh ]] && echo "sshd lines" || echo nothing)"
    per_second() { awk -v n="$lines" -v s="$1" 'BEGIN { printf "%d", n / s }'; }
    row "$title" "${ours:+$(per_second "$ours")}" "lines/s"
    if [[ -n $ours && -n $theirs ]]; then
        row "$title, sec" "$(per_second "$theirs")" "lines/s"
        row "$title, ours to sec" "$(awk -v o="$ours" -v t="$theirs" 'BEGIN { printf "%.1f", t / o }')" "times" "$goal"
    else
        row "$title, sec" "-" "not measured: it is not installed, or failed"
    fi
done
seq 1000000 >"$work/numbers"
correlate_contexts=("${one_core[@]}" "$binaries/bergfried-correlate" --notail "--input=$work/numbers"
    --conf=bench/correlate/contexts.sec)
took=$(seconds correlate-contexts "${correlate_contexts[*]}") || took=
row "correlate, a million contexts and operations" \
    "${took:+$(awk -v s="$took" 'BEGIN { printf "%.2f", s }')}" "microseconds/event"
peak "correlate, a million contexts and operations, memory" "${correlate_contexts[@]}"
rm "$work/numbers"

echo "inner loops" >&2
# Parse alone, and rules alone over events that are parsed already.
for crate in parse rules; do
    if cargo bench --locked -q -p "bergfried-$crate" >"$results/inner-$crate.log" 2>&1; then
        while IFS=$'\t' read -r name median; do
            row "$crate alone: $name" "$median" "median (divan)"
        done < <(divan_medians <"$results/inner-$crate.log")
    else
        row "$crate alone" "-" "failed: see $results/inner-$crate.log"
    fi
done

echo "detection" >&2
# Beside rsigma-eval: the same rules and events, each engine alone on one core.
measured detection "${one_core[@]}" "$binaries/detection" --rows "${detection[@]}"
measured groups "${one_core[@]}" "$binaries/groups"
measured pipeline "$binaries/pipeline" --data-dir "$work/pipeline" "$work/ssh.log"
rm -rf "$work/pipeline"

echo "event logs" >&2
# Windows event logs are nobody's to copy: those of the corpora beside the checkout, over and over.
logs=../shared/corpora/evtx
if [[ -d $logs ]]; then
    mkdir "$work/evtx"
    for ((copy = 0; copy < evtx; copy++)); do cp -r "$logs" "$work/evtx/$copy"; done
    two_cores=(taskset -c 0,1)
    command -v taskset >/dev/null || two_cores=()
    for rules in built-in Sigma; do
        title="scan of event logs, $rules rules, two cores" chosen=()
        [[ $rules == built-in ]] || chosen=(--rules ../shared/corpora/sigma/rules)
        # Findings are in the logs and one file is damaged: its exit status says so.
        "${two_cores[@]}" "$bergfried" scan --threads 2 "${chosen[@]}" "$work/evtx" \
            >"$results/evtx-$rules.log" 2>&1 || true
        if [[ $(<"$results/evtx-$rules.log") =~ speed\ +([0-9.]+)\ events/s,\ ([0-9.]+)\ MB/s ]]; then
            row "$title" "${BASH_REMATCH[1]}" "events/s"
            row "$title" "${BASH_REMATCH[2]}" "MB/s"
        else
            row "$title" "-" "failed: $(tail -n 1 "$results/evtx-$rules.log" | cut -c -160)"
        fi
    done
else
    row "scan of event logs, two cores" "-" "not measured: $logs is not here"
fi

echo "hub" >&2
port=$(free_port)
url=http://127.0.0.1:$port
key=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
"$bergfried" hub --listen "127.0.0.1:$port" --data-dir "$work/hub" --admin-key "$key" \
    >"$results/hub.log" 2>&1 &
hub=$!
children+=("$hub")
if wait_until 20 curl -fsS "$url/healthz" &&
    (umask 077 && BERGFRIED_URL=$url BERGFRIED_KEY=$key \
        "$bergfried" tokens create agent bench >"$work/token" 2>>"$results/hub.log"); then
    if rate=$("$binaries/bergfried-bench-post" --url "$url" --token-file "$work/token" \
        "$work/mixed.log" 2>"$results/post.log"); then
        row "hub ingest, durable" "$(cut -f 4 <<<"$rate")" "events/s" "100000 events/s"
        row "hub, peak memory" \
            "$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$hub/status")" "MiB"
    else
        row "hub ingest, durable" "-" "failed: $(tail -n 1 "$results/post.log" | cut -c -160)" \
            "100000 events/s"
    fi
    # As Heimdall's agents send: JSON in small bodies, each event with an id that is looked up.
    if rate=$("$binaries/bergfried-bench-post" --heimdall --batch 100 --url "$url" \
        --token-file "$work/token" "$work/mixed.log" 2>"$results/heimdall.log"); then
        row "Heimdall's /ingest, 100 events a body, durable" "$(cut -f 4 <<<"$rate")" "events/s" \
            "50000 events/s"
    else
        row "Heimdall's /ingest, 100 events a body, durable" "-" \
            "failed: $(tail -n 1 "$results/heimdall.log" | cut -c -160)" "50000 events/s"
    fi

    echo "agent" >&2
    "$binaries/bergfried-agent" --hub "$url" --token-file "$work/token" \
        --state-dir "$work/agent" --journald off --from start --file "$work/mixed.log" \
        >"$results/agent.log" 2>&1 &
    agent=$!
    children+=("$agent")
    sleep 3
    before=-1
    for _ in {1..120}; do # until a second passes in which it has nothing left to do
        kill -0 "$agent" 2>/dev/null || break
        now=$(cpu_ticks "$agent")
        ((now - before > 1)) || break
        before=$now
        sleep 1
    done
    if kill -0 "$agent" 2>/dev/null; then
        row "agent, peak memory" \
            "$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$agent/status")" "MiB" "20 MiB"
        begin=$(cpu_ticks "$agent")
        sleep "$idle"
        row "agent, idle" "$(awk -v t="$(($(cpu_ticks "$agent") - begin))" -v s="$idle" \
            -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", 100 * t / hz / s }')" "% CPU" "0.5 %"
    else
        row "agent" "-" "failed: $(tail -n 1 "$results/agent.log" | cut -c -160)"
    fi
    ended "agent" "$agent"

    echo "audit" >&2
    # One core for the agent; the log grows by 20,000 records a second meanwhile.
    pinned=(taskset --cpu-list 0)
    "${pinned[@]}" true 2>/dev/null || pinned=()
    "${pinned[@]}" "$binaries/bergfried-agent" --hub "$url" --token-file "$work/token" \
        --state-dir "$work/audit-agent" --journald off --file "$work/audit.log" \
        >"$results/audit-agent.log" 2>&1 &
    agent=$!
    children+=("$agent")
    stored_audit() { # how many joined events the hub has
        BERGFRIED_URL=$url BERGFRIED_KEY=$key "$bergfried" search 'event.module:auditd' \
            --top event.module --format ndjson | grep -o '[0-9]\+' | tail -n 1 || echo 0
    }
    begin=$(cpu_ticks "$agent")
    if IFS=$'\t' read -r records events took < <("$binaries/bergfried-bench-generate" audit \
        --seconds "$audit_seconds" "$work/audit.log" 2>"$results/audit.log") && [[ -n ${took:-} ]]; then
        row "audit records written" "$(awk -v n="$records" -v s="$took" 'BEGIN { printf "%d", n / s }')" \
            "records/s" "20000 records/s"
        behind=$SECONDS
        all_stored() { (($(stored_audit) >= events)); }
        if wait_until 60 all_stored; then
            row "agent, audit, behind at the end" "$((SECONDS - behind))" "s" "2 s"
        else
            row "agent, audit, behind at the end" "-" "failed: some were missing after a minute" "2 s"
        fi
        row "agent, audit, lost" "$((events - $(stored_audit)))" "events of $events" "0"
        row "agent, audit" "$(awk -v t="$(($(cpu_ticks "$agent") - begin))" -v s="$took" \
            -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.1f", 100 * t / hz / s }')" "% of one core" "100 %"
        row "agent, audit, peak memory" \
            "$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$agent/status")" "MiB" "30 MiB"
    else
        row "agent, audit" "-" "failed: $(tail -n 1 "$results/audit.log" | cut -c -160)"
    fi
else
    row "hub" "-" "failed: $(tail -n 1 "$results/hub.log" | cut -c -160)"
fi

echo "syslog" >&2
# The same lines over the same connections into a hub (parsed, judged by the built-in rules, durable)
# and into the log servers that people run, writing files: raw, and taken apart by patterns. `calm` is
# what a network writes on a usual day; in the other lines most tell of attacks, with findings without end.
syslog="$binaries/bergfried-bench-syslog"
received() { # TITLE GOAL FILE ARGUMENTS…: a row with the rate; what did not arrive and the generator's share
    local title=$1 goal=$2 file=$work/$3.log sent arrived rate share
    shift 3
    if IFS=$'\t' read -r sent arrived _ rate share < <("$syslog" "$@" "$file" \
        2>"$results/syslog.log") && [[ -n ${rate:-} ]]; then
        row "$title" "$rate" "messages/s" "$goal"
        row "$title, the generator's share" "$share" "% of one core"
        [[ $sent == "$arrived" ]] || row "$title, lost" \
            "$(awk -v s="$sent" -v a="$arrived" 'BEGIN { printf "%.3f", 100 * (s - a) / s }')" "%"
        last_rate=$rate
    else
        row "$title" "-" "failed: $(tail -n 1 "$results/syslog.log" | cut -c -160)" "$goal"
        last_rate=0
    fi
}
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }                # KiB
mebibytes() { awk -v k="$1" 'BEGIN { printf "%.1f", k / 1024 }'; }
idle_senders() { # COUNT: connects so often, and stays
    trap - EXIT
    for ((sender = 0; sender < $1; sender++)); do
        exec {connection}<>"/dev/tcp/127.0.0.1/$syslog_port" || return 1
    done 2>"$results/idle.log"
    touch "$work/syslog/connected"
    ! read -rt 600 <>"$work/syslog/never" # until it is stopped, or the time is over
}
mkdir "$work/syslog"
mkfifo "$work/syslog/never"
syslog_port=$(free_port)
relp_port=$(free_port)
port=$(free_port)
cat >"$work/syslog/hub.toml" <<END
[[input]]
name = "bench"
type = "syslog"
tcp = "127.0.0.1:$syslog_port"
udp = "127.0.0.1:$syslog_port"
relp = "127.0.0.1:$relp_port"
END
"$bergfried" hub --listen "127.0.0.1:$port" --data-dir "$work/syslog/hub" --admin-key "$key" \
    --config "$work/syslog/hub.toml" >"$results/syslog-hub.log" 2>&1 &
hub=$!
children+=("$hub")
(umask 077 && printf '%s' "$key" >"$work/syslog/key")
ours=0
if wait_until 20 curl -fsS "http://127.0.0.1:$port/healthz"; then
    # Nothing may grow under senders that send nothing, or that send no end.
    before=$(resident "$hub")
    idle_senders 10000 &
    senders=$!
    children+=("$senders")
    if wait_until 60 test -e "$work/syslog/connected"; then
        row "syslog, 10,000 idle TCP senders, memory gained" \
            "$(mebibytes "$(($(resident "$hub") - before))")" "MiB"
    else
        row "syslog, 10,000 idle TCP senders" "-" "failed: $(tail -n 1 "$results/idle.log" | cut -c -160)"
    fi
    ended "syslog, idle senders" "$senders"
    before=$(resident "$hub")
    if head -c 1G /dev/zero | tr '\0' a 2>"$results/endless.log" >"/dev/tcp/127.0.0.1/$syslog_port"; then
        row "syslog, a line of 1 GiB without its end, memory gained" \
            "$(mebibytes "$(($(resident "$hub") - before))")" "MiB"
    else
        row "syslog, a line of 1 GiB without its end" "-" "failed: the connection broke"
    fi
    at=(--hub "http://127.0.0.1:$port" --key-file "$work/syslog/key" --to)
    here=127.0.0.1:$syslog_port
    for mix in calm mixed; do
        received "syslog over TCP, $mix, durable" "150000 messages/s" $mix "${at[@]}" "$here"
        [[ $mix == calm ]] || ours=$last_rate
        received "syslog over UDP at 100,000/s, $mix, durable" "under 0.1 % lost" $mix "${at[@]}" \
            "$here" --framing datagrams --rate 100000
        received "syslog over RELP, $mix, answered when durable" "80000 messages/s" $mix "${at[@]}" \
            "127.0.0.1:$relp_port" --framing relp
    done
    received "syslog over TCP, octet-counted, mixed" "150000 messages/s" mixed "${at[@]}" "$here" \
        --framing counted
    ended "syslog, the hub" "$hub"
else
    row "syslog" "-" "failed: $(tail -n 1 "$results/syslog-hub.log" | cut -c -160)"
fi
beside() { # TITLE FILE COMMAND…: the rate of a log server that writes this file, and ours to it
    local title=$1 file=$2
    shift 2
    "$@" >"$results/beside.log" 2>&1 &
    local server=$!
    children+=("$server")
    if ! wait_until 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$syslog_port"; then
        row "$title" "-" "failed: $(tail -n 1 "$results/beside.log" | cut -c -160)"
        ended "$title" "$server"
        return
    fi
    received "$title" "" mixed --into "$file" --to "127.0.0.1:$syslog_port"
    row "ours to $title" \
        "$(awk -v a="$ours" -v b="$last_rate" 'BEGIN { if (b) printf "%.2f", a / b; else print "-" }')" "times"
    ended "$title" "$server"
}
if rsyslogd=$(PATH=$PATH:/usr/sbin command -v rsyslogd); then
    cat >"$work/syslog/sshd.rulebase" <<'END'
version=2
rule=: Invalid user %user:word% from %ip:ipv4% port %port:number%
rule=: Failed password for %user:word% from %ip:ipv4% port %port:number% ssh2
rule=: Failed password for invalid user %user:word% from %ip:ipv4% port %port:number% ssh2
rule=: Accepted %method:word% for %user:word% from %ip:ipv4% port %port:number% %rest:rest%
rule=: pam_unix(%service:char-to:)%): session %what:word% for user %user:char-to:(%%rest:rest%
rule=: (%user:char-to:)%) CMD (%command:rest%
END
    for way in raw mmnormalize; do
        {
            echo "global(workDirectory=\"$work/syslog\")"
            printf '%s\n' 'module(load="imtcp") template(name="raw" type="string" string="%rawmsg%\n")'
            echo "input(type=\"imtcp\" port=\"$syslog_port\" address=\"127.0.0.1\")"
            if [[ $way == mmnormalize ]]; then
                echo 'module(load="mmnormalize")'
                printf '%s\n' 'template(name="json" type="string" string="%$!%\n")'
                echo "action(type=\"mmnormalize\" rulebase=\"$work/syslog/sshd.rulebase\")"
                echo "action(type=\"omfile\" file=\"$work/syslog/rsyslog-$way\" template=\"json\")"
            else
                echo "action(type=\"omfile\" file=\"$work/syslog/rsyslog-$way\" template=\"raw\")"
            fi
        } >"$work/syslog/$way.conf"
        beside "rsyslog, files, $way" "$work/syslog/rsyslog-$way" \
            "$rsyslogd" -n -f "$work/syslog/$way.conf" -i "$work/syslog/$way.pid"
    done
else
    row "rsyslog" "-" "not measured: it is not installed"
fi
syslog_ng=()
if scripts/unpack-packages "$work/syslog-ng" syslog-ng-core syslog-ng-mod-http 2>"$results/syslog-ng.log"; then
    root=$work/syslog-ng
    modules=("$root"/usr/lib/syslog-ng/[0-9]*)
    libraries=("$root"/usr/lib/*)
    syslog_ng=(env "LD_LIBRARY_PATH=$(IFS=:; echo "$root/usr/lib/syslog-ng:${libraries[*]}")"
        "$root/usr/sbin/syslog-ng" --module-path "${modules[0]}" --foreground --no-caps
        --persist-file "$work/syslog/persist" --control "$work/syslog/control"
        --pidfile "$work/syslog/pid")
    cat >"$work/syslog/patterns.xml" <<'END'
<patterndb version="4" pub_date="2026-01-01"><ruleset name="sshd" id="s"><patterns><pattern>sshd</pattern></patterns>
<rules><rule provider="bench" id="1" class="system"><patterns>
<pattern>Invalid user @ESTRING:user: @from @IPv4:ip@ port @NUMBER:port@</pattern>
<pattern>Failed password for @ESTRING:user: @from @IPv4:ip@ port @NUMBER:port@ ssh2</pattern>
<pattern>Failed password for invalid user @ESTRING:user: @from @IPv4:ip@ port @NUMBER:port@ ssh2</pattern>
<pattern>Accepted @ESTRING:method: @for @ESTRING:user: @from @IPv4:ip@ port @NUMBER:port@ @ANYSTRING:rest@</pattern>
<pattern>pam_unix(@ESTRING:service:)@: session @ESTRING:what: @for user @ANYSTRING:user@</pattern>
</patterns></rule></rules></ruleset></patterndb>
END
    for way in raw patterndb; do
        {
            echo '@version: 3.38'
            echo 'options { keep-hostname(yes); stats-freq(0); };'
            echo "source s { network(ip(\"127.0.0.1\") port($syslog_port) transport(\"tcp\")" \
                'max-connections(64) log-iw-size(64000)); };'
            echo "parser p { db-parser(file(\"$work/syslog/patterns.xml\")); };"
            echo "destination d { file(\"$work/syslog/syslog-ng-$way\"" \
                'template("$(format-json --scope nv-pairs --scope dot-nv-pairs)\n")); };'
            echo "destination r { file(\"$work/syslog/syslog-ng-$way\"); };"
            if [[ $way == patterndb ]]; then
                echo 'log { source(s); parser(p); destination(d); flags(flow-control); };'
            else
                echo 'log { source(s); destination(r); flags(flow-control); };'
            fi
        } >"$work/syslog/syslog-ng-$way.conf"
        beside "syslog-ng, files, $way" "$work/syslog/syslog-ng-$way" \
            "${syslog_ng[@]}" --cfgfile "$work/syslog/syslog-ng-$way.conf"
    done
else
    row "syslog-ng" "-" "not measured: $(tail -n 1 "$results/syslog-ng.log" | cut -c -120)"
fi
rm -rf "$work/syslog"

echo "alerts" >&2
# Alerts over HTTP as monitoring scripts post them, each answered when it is durable, and the questions
# that a console asks of 100,000 of them.
port=$(free_port)
mkdir "$work/alerts"
(umask 077 && printf '%s' "$key" >"$work/alerts/key")
"$bergfried" hub --listen "127.0.0.1:$port" --data-dir "$work/alerts/hub" --admin-key "$key" \
    >"$results/alerts-hub.log" 2>&1 &
hub=$!
children+=("$hub")
alerts=("$binaries/bergfried-bench-alerts" --to "127.0.0.1:$port" --key-file "$work/alerts/key")
posted() { # TITLE GOAL ARGUMENTS…: a row with the rate
    local title=$1 goal=$2 rate
    shift 2
    if IFS=$'\t' read -r _ _ rate < <("${alerts[@]}" post "$@" 2>"$results/alerts.log") &&
        [[ -n ${rate:-} ]]; then
        row "$title" "$rate" "alerts/s" "$goal"
    else
        row "$title" "-" "failed: $(tail -n 1 "$results/alerts.log" | cut -c -160)" "$goal"
    fi
}
asked() { # TITLE GOAL PATH: a row with the middle time
    local middle
    if IFS=$'\t' read -r middle _ < <("${alerts[@]}" get "$3" 2>"$results/alerts.log") &&
        [[ -n ${middle:-} ]]; then
        row "$1" "$middle" "ms" "$2"
    else
        row "$1" "-" "failed: $(tail -n 1 "$results/alerts.log" | cut -c -160)" "$2"
    fi
}
if wait_until 20 curl -fsS "http://127.0.0.1:$port/healthz"; then
    posted "alerts, new ones, durable" "10000 alerts/s" "$stored_alerts" --distinct "$stored_alerts"
    posted "alerts, duplicates, $stored_alerts stored, durable" "20000 alerts/s" \
        "$((2 * stored_alerts))" --distinct "$stored_alerts"
    asked "alerts, a page of 20 by two keys" "5 ms" \
        '/alerts?status=open&status=ack&sort-by=severity&sort-by=lastReceiveTime&page=1&page-size=20'
    asked "alerts, top 10" "20 ms" '/alerts/top10/count?page-size=10'
    asked "alerts, counts" "20 ms" '/alerts/count'
    asked "alerts, a search of every text" "" '/alerts/count?q=text:"rack"+OR+text:server00042'
    row "alerts, $stored_alerts stored, memory of the hub" "$(mebibytes "$(resident "$hub")")" "MiB"
    ended "alerts, the hub" "$hub"
else
    row "alerts" "-" "failed: $(tail -n 1 "$results/alerts-hub.log" | cut -c -160)"
fi
rm -rf "$work/alerts"

echo "store: $stored events" >&2
if cargo run --release --locked -q -p bergfried-store --example store_bench -- "$stored" \
    >"$results/store.log" 2>&1; then
    # The example prints one measurement a line, `name: value unit`.
    while IFS= read -r line; do
        if [[ $line =~ ^([^:{]+):\ ([0-9.]+)\ ?(.*)$ ]]; then
            row "store: ${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
        fi
    done <"$results/store.log"
else
    row "store" "-" "failed: $(tail -n 1 "$results/store.log" | cut -c -160)"
fi

echo "search: $searched events" >&2
measured search "$binaries/search" --events "$searched" "$work/search"
if python=$(scripts/python-client "$results/python" bench/search-peers.txt 2>"$results/peers-install.log"); then
    measured search-peers "$python" bench/search-peers.py "$work/search"
else
    row "search: SQLite, DuckDB" "-" "not measured: no Python with duckdb"
fi
rm -rf "$work/search"
find corpus -name '*.log' -print0 | xargs -0 cat >"$work/corpora"
"$binaries/bergfried-bench-generate" lines "$lines" >"$work/generated"
for what in corpora generated; do
    echo "skeletons of $what" >&2
    measured "skeletons-$what" "$binaries/skeletons" --name "$what" "$work/$what"
done

{
    echo
    echo "$(date -u +%F), $(nproc) x$(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo |
        sed 's/^/ /'), $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $lines lines of" \
        "$(awk -v b="$ssh_bytes" -v n="$lines" 'BEGIN { printf "%d", b / n }') (sshd) and" \
        "$(awk -v b="$mixed_bytes" -v n="$lines" 'BEGIN { printf "%d", b / n }') (mixed) bytes"
    { printf 'measurement\tvalue\tunit\tgoal\n'; cat "$table"; } |
        awk -F '\t' '{ printf "%-52s %14s  %-18s %s\n", $1, $2, $3, $4 }'
} | tee "$results/table.txt"
