//! nginx itself, on a port of the loopback, with its logs in the formats that sites use.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CONFIGURATION: &str = r#"
daemon off; master_process off; pid pid; error_log error.log info;
events {}
http {
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    set_real_ip_from 127.0.0.1; real_ip_header X-Test-Client;
    log_format site '$host:$server_port $remote_addr - $remote_user [$time_local] "$request" $status '
        '$body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for" $request_time';
    log_format json escape=json '{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr",'
        '"remote_user":"$remote_user","request":"$request","status":$status,'
        '"body_bytes_sent":$body_bytes_sent,"http_referrer":"$http_referer",'
        '"http_user_agent":"$http_user_agent","host":"$host"}';
    log_format careless '{"time_iso8601":"$time_iso8601","remote_addr":"$remote_addr",'
        '"remote_user":"$remote_user","request":"$request","status":"$status",'
        '"body_bytes_sent":"$body_bytes_sent","http_referrer":"$http_referer",'
        '"http_user_agent":"$http_user_agent"}';
    access_log access.log combined; access_log site.log site;
    access_log json.log json; access_log careless.log careless;
    server {
        listen 127.0.0.1:PORT;
        location / { root html; }
        location /private { auth_basic x; auth_basic_user_file users; root html; }
        location /forbidden { deny all; root html; }
        location /any { return 200 "x"; }
        location /login { return 302 /any; }
    }
}
"#;

/// A running nginx; ends and leaves nothing when it is dropped.
pub(crate) struct Nginx {
    process: Child,
    directory: PathBuf,
    port: u16,
}

impl Nginx {
    /// Starts it in a directory of this name; says so and gives none where there is no nginx.
    pub(crate) fn start(temporary: &str, name: &str) -> Option<Nginx> {
        if Command::new("nginx").arg("-v").output().is_err() {
            eprintln!("skipped: there is no nginx");
            return None;
        }
        let directory = Path::new(temporary).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(directory.join("html")).unwrap();
        fs::write(directory.join("html/index.html"), "hello\n").unwrap();
        fs::write(directory.join("users"), "anna:{PLAIN}secret\n").unwrap();
        // Somebody else may take the port between its choice and nginx.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let configuration = CONFIGURATION.replace("PORT", &port.to_string());
            fs::write(directory.join("nginx.conf"), configuration).unwrap();
            let process = Command::new("nginx")
                .arg("-p")
                .arg(&directory)
                .args(["-c", "nginx.conf", "-e", "error.log"])
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut nginx = Nginx { process, directory: directory.clone(), port };
            if nginx.answers() {
                return Some(nginx);
            }
        }
        panic!("nginx does not start in {}", directory.display());
    }

    fn answers(&mut self) -> bool {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(90) {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Sends these bytes and reads until nginx closes; the status of the answer, where it has one.
    pub(crate) fn send(&self, request: &[u8]) -> Option<i64> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// The lines of a log, once there are so many of them: nginx writes them after it has answered.
    pub(crate) fn lines(&self, log: &str, count: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let bytes = fs::read(self.directory.join(log)).unwrap_or_default();
            let text = bergfried_event::readable(&bytes);
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if (lines.len() >= count && text.ends_with('\n')) || started.elapsed().as_secs() > 20 {
                assert_eq!(lines.len(), count, "lines of {log}");
                return lines;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All of a log so far.
    pub(crate) fn log(&self, log: &str) -> String {
        bergfried_event::readable(&fs::read(self.directory.join(log)).unwrap()).into_owned()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
        let _removed = fs::remove_dir_all(&self.directory);
    }
}
