//! The page in a real browser: signing in, alerts, a search, and names that would like to be HTML.

use crate::support::chromium::Chromium;
use crate::support::hub::Hub;
use crate::support::lines::{ago, break_in};
use crate::support::wait_until;

#[test]
fn a_person_signs_in_sees_alerts_and_searches() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(&directory.path().join("data"));
    let name = "<img src=x onerror=window.owned=1>";
    let mut lines = break_in("web", name, "203.0.113.7");
    lines.push(format!("{} web app: <script>window.owned=1</script>", ago(2)));
    assert_eq!(hub.send("1", "web", &lines).status, 200);
    wait_until("the alerts", || hub.alerts().len() == 2);
    let Some(mut page) = Chromium::open(&format!("{}/", hub.url), directory.path()) else {
        eprintln!("skipped: there is no Chromium");
        return;
    };
    assert_eq!(page.evaluate("document.title"), "Bergfried");
    page.wait("!document.getElementById('sign-in').hidden");
    assert_eq!(page.evaluate("document.getElementById('console').hidden"), true);

    let sign_in = |key: &str| {
        format!(
            "document.getElementById('key').value = '{key}'; \
             document.querySelector('#sign-in button').click()"
        )
    };
    page.evaluate(&sign_in(&hub.key()));
    page.wait("document.querySelectorAll('#alerts tbody tr').length === 2");
    page.wait("document.querySelectorAll('#events tbody tr').length === 8");
    let alerts = page.evaluate("document.getElementById('alerts').innerText");
    let alerts = alerts.as_str().unwrap();
    for part in ["critical", "SSH login after many failures", "203.0.113.7", name] {
        assert!(alerts.contains(part), "no {part:?} in {alerts}");
    }
    assert_eq!(page.evaluate("document.querySelectorAll('main img, main script').length"), 0);
    assert_eq!(page.evaluate("typeof window.owned"), "undefined");

    let search = |query: &str| {
        format!(
            "document.getElementById('query').value = '{query}'; \
             document.querySelector('#search button').click()"
        )
    };
    page.evaluate(&search("event.outcome:success"));
    page.wait("document.querySelectorAll('#events tbody tr').length === 1");
    page.evaluate("document.querySelector('#alerts tbody button').click()");
    page.wait("document.querySelectorAll('#alerts tbody tr').length === 1");
    assert_eq!(page.complaints, Vec::<serde_json::Value>::new());

    // From here on the browser notes each refusal of the hub as an error of the network.
    page.evaluate(&search("user:("));
    page.wait("document.getElementById('search-error').textContent.includes('  user:(\\n')");
    page.evaluate("document.getElementById('sign-out').click()");
    page.evaluate(&sign_in("wrong"));
    page.wait("document.getElementById('refused').textContent.includes('admin key')");
    assert_eq!(page.evaluate("document.getElementById('console').hidden"), true);
}

#[test]
fn a_person_sees_how_inputs_chains_and_outputs_do() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("hub.toml");
    let files = directory.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let text = format!(
        "[[input]]\nname = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\n\
         [[chain]]\nname = 'doors'\n\
         [[chain.step]]\ngrok = {{ field = 'message', patterns = ['^door %{{INT:door}} <b>$'] }}\n\
         [[output]]\nname = 'kept'\ntype = 'file'\nfrom = 'beginning'\n\
         path = '{}/%{{host.name}}.log'\nformat = 'raw'\n",
        files.display()
    );
    std::fs::write(&config, text).unwrap();
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    let lines = [format!("{} web app: door 7 <b>", ago(3)), format!("{} web app: other", ago(2))];
    assert_eq!(hub.send("1", "web", &lines).status, 200);
    let written = || std::fs::read_to_string(files.join("web.log")).unwrap_or_default();
    wait_until("the file", || written().lines().count() == 2);
    let Some(mut page) = Chromium::open(&format!("{}/", hub.url), directory.path()) else {
        eprintln!("skipped: there is no Chromium");
        return;
    };
    page.evaluate(&format!(
        "document.getElementById('key').value = '{}'; \
         document.querySelector('#sign-in button').click()",
        hub.key()
    ));
    page.wait("!document.getElementById('collector').hidden");
    page.wait("document.getElementById('outputs').innerText.includes('kept')");
    page.evaluate("document.querySelector('#to-collector a').click()");
    page.wait("location.hash === '#collector'");
    let text = page.evaluate("document.getElementById('collector').innerText");
    let text = text.as_str().unwrap();
    for part in [
        "home",
        "tcp 127.0.0.1:",
        "doors",
        "^door %{INT:door} <b>$\t2\t1\t0\t",
        "kept\tfile\tok\t2",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert_eq!(page.complaints, Vec::<serde_json::Value>::new());
}
