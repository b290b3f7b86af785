# shellcheck shell=bash
# shellcheck disable=SC2016 # commands are for the other shell
# What people and programs do on a Debian host all day. Run by record-audit in its throw-away root.
# Each kind of work is a function; what fails (no network, say) is told and does not end the round.
set -u

doing() {
    local begun=$EPOCHREALTIME
    "$@" >"/tmp/$1.out" 2>&1 || echo "did not succeed: $1: $(tail -n 1 "/tmp/$1.out")"
    printf '%s %.0f\n' "$1" "$(awk "BEGIN { print ($EPOCHREALTIME - $begun) * 1000 }")"
}

daemons() {

    runuser -u al -- ssh-keygen -q -t ed25519 -N '' -f /home/al/.ssh/id_ed25519
    runuser -u al -- cp /home/al/.ssh/id_ed25519.pub /home/al/.ssh/authorized_keys
    echo 'al ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/al
    chmod 0440 /etc/sudoers.d/al
    /usr/sbin/sshd -o Port=2022 -o ListenAddress=127.0.0.1
    printf '* * * * * root run-parts --test /etc/cron.daily >/dev/null\n' >/etc/cron.d/often
    printf '* * * * * al cd && tar czf backup.tgz notes && find . -mtime +30 -delete\n' >>/etc/cron.d/often
    # Debian's daily job waits up to half an hour, so that not all hosts ask the mirror at once.
    echo 'APT::Periodic::RandomSleep "0";' >/etc/apt/apt.conf.d/90-at-once
    /usr/sbin/cron
    rsyslogd
}

login() { # login COMMAND: as al, over SSH, as a person or a deployment does
    ssh -p 2022 -i /home/al/.ssh/id_ed25519 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/tmp/known \
        -o LogLevel=ERROR al@127.0.0.1 "$1"
}

packages() {
    apt-get -q update && apt-get -q -y install --no-install-recommends "$package" && apt-get -q -y remove "$package"
}
upgrade() { apt-get -q -y upgrade && apt-get -q -y autoremove && dpkg --audit && apt list --installed; }
reinstall() { apt-get -q -y install --reinstall cron sudo; }

compile() {
    rm -rf /home/al/hello
    login 'mkdir hello && cd hello && printf "#include <stdio.h>\nint main(void) { puts(\"hello\"); }\n" >hello.c &&
        printf "hello: hello.o\n\tgcc -o hello hello.o\nhello.o: hello.c\n\tgcc -O2 -c hello.c\n" >Makefile && make && ./hello'
}
rust() {
    [[ -x /opt/rust/bin/cargo ]] || return 1
    rm -rf /home/al/tiny
    login 'export PATH=/opt/rust/bin:$PATH && cargo new --vcs none tiny && cd tiny && cargo build && cargo run && cargo test'
}
repository() {
    rm -rf /home/al/origin /home/al/clone
    login 'git init -q origin && cd origin && git config user.email al@example.org && git config user.name al &&
        echo text >README && git add README && git commit -qm first && cd .. && git clone -q origin clone &&
        cd clone && git log --oneline && git status && git diff HEAD && git grep text && git gc -q'
}
python() {
    rm -rf /home/al/venv
    login 'python3 -m venv venv && venv/bin/python -c "import json, ssl, subprocess; print(subprocess.run([\"uname\", \"-a\"]))" &&
        venv/bin/pip list && python3 -m json.tool </dev/null; python3 -m compileall -q venv/lib >/dev/null; true'
}

look_around() { # what an administrator types after a login
    login 'uptime; who; w; id; df -h; free -m; ps aux; ls -la; tail -n 20 /var/log/auth.log; ip addr; ip route; ss -tlnp;
        cat /etc/os-release; uname -a; top -b -n 1 | head; du -sh .; hostname -f; date; last; crontab -l; env | head'
}
administer() {
    login 'sudo systemctl status ssh; sudo ls /root; sudo tail -n 5 /var/log/syslog; sudo -l; sudo sshd -t;
        sudo cp /etc/hosts /etc/hosts.bak; echo "127.0.0.1 app" | sudo tee -a /etc/hosts; sudo visudo -c;
        sudo vi -es +wq /etc/hosts; sudo service cron status; sudo journalctl -n 5; sudo dpkg -l >/dev/null; sudo ss -tlnp;
        sudo chown -R al:al /home/al/notes; sudo install -m 0755 /bin/true /usr/local/bin/app'
}
accounts() {
    useradd -m bo && echo 'bo:a long pass phrase' | chpasswd && usermod -aG users bo && passwd -S bo && chage -l bo
    login 'getent passwd bo; groups bo; id bo'
    userdel -r bo
}
rotate() {
    head -c 20000 /dev/urandom | base64 >/var/log/app.log
    printf '/var/log/app.log {\n    rotate 3\n    compress\n    missingok\n}\n' >/etc/logrotate.d/app
    logrotate -f /etc/logrotate.d/app && run-parts /etc/cron.daily
}
back_up() {
    login 'mkdir -p notes && date >notes/today && tar czf notes.tgz notes && tar tzf notes.tgz && sha256sum notes.tgz >notes.sum &&
        rsync -a notes/ copy/ && rsync -a -e "ssh -p 2022 -i .ssh/id_ed25519 -o StrictHostKeyChecking=no" notes/ al@127.0.0.1:far/ &&
        scp -P 2022 -i .ssh/id_ed25519 -o StrictHostKeyChecking=no notes.tgz al@127.0.0.1:far.tgz'
    tar czf /tmp/etc.tgz --exclude=shadow --exclude=gshadow --exclude=ssh /etc
    rsync -a --exclude shadow\* --exclude gshadow\* /etc/ /tmp/etc/
    rm -rf /tmp/etc /tmp/etc.tgz
}
read_and_edit() {
    login 'man -P cat ls | head; vi -es +q .bashrc; less -F /etc/hosts; grep -r PATH /etc/profile .bashrc; sed -n 1,5p /etc/passwd;
        awk -F: "{ print \$1 }" /etc/passwd; find . -name "*.txt"; file .bashrc; diff .bashrc .profile; xargs -a /dev/null echo; history'
}
serve() {
    python3 -m http.server --bind 127.0.0.1 --directory /usr/share/doc 8080 >/dev/null 2>&1 &
    local server=$!
    curl -s -o /dev/null --retry 9 --retry-connrefused --retry-delay 1 http://127.0.0.1:8080/
    curl -s http://127.0.0.1:8080/ -o /tmp/page && curl -sI http://127.0.0.1:8080/ && wget -q -O /dev/null http://127.0.0.1:8080/
    curl -s -X POST -d 'ok=1' http://127.0.0.1:8080/hook -o /dev/null
    nc -z 127.0.0.1 8080
    kill "$server"
}
deploy() { # as a pipeline does: copies a release, switches a link, reloads
    login 'mkdir -p releases/2 && echo v2 >releases/2/version && ln -sfn releases/2 current && cat current/version &&
        printf "[Unit]\nDescription=app\n[Service]\nExecStart=/usr/local/bin/app\n" | sudo tee /etc/systemd/system/app.service >/dev/null;
        sudo systemctl daemon-reload; sudo systemctl enable app; sudo chmod 0644 /etc/systemd/system/app.service'
}
personal_crontab() { login '(crontab -l; echo "0 3 * * * tar czf nightly.tgz notes") 2>/dev/null | crontab - && crontab -l'; }

programs=(hello tree jq bc time moreutils)
mkdir -p /home/al/notes && chown al: /home/al/notes
doing daemons
for ((round = 0; round < ROUNDS; round++)); do
    package=${programs[round % ${#programs[@]}]}
    for one in packages look_around compile repository rust read_and_edit back_up python administer serve rotate \
        accounts personal_crontab; do
        doing "$one"
    done
done
doing upgrade
doing reinstall
doing deploy
sleep $((61 - $(date +%-S))) # cron's next minute
kill "$(cat /run/crond.pid)" "$(cat /run/sshd.pid)" "$(cat /run/rsyslogd.pid)"
