//! The page in a real browser.

use std::process::Command;

use crate::support::hub::Hub;
use crate::support::lines::break_in;
use crate::support::process::run_with;

#[test]
fn the_page_loads_without_an_error() {
    let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|done| done.status.success())
    });
    let Some(chromium) = chromium else {
        eprintln!("skipped: there is no Chromium");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(&directory.path().join("data"));
    assert_eq!(hub.send("1", "web", &break_in("web", "bob", "203.0.113.7")).status, 200);
    let mut browser = Command::new(chromium);
    browser.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        "--dump-dom",
    ]);
    browser.arg(format!("--user-data-dir={}", directory.path().join("profile").display()));
    browser.arg(format!("{}/", hub.url)).env("HOME", directory.path());
    let done = run_with(browser, b"");
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.out.contains("<title>Bergfried</title>"), "{}", done.out);
    assert!(done.out.contains("Admin key"), "{}", done.out);
    let complaints: Vec<&str> = done.err.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}
