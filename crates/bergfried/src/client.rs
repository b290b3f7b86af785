//! Talks to a hub: finds its address and key, asks, and turns refusals into messages.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bergfried_hub::DataDir;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use crate::arguments::{HubChoice, default_data_dir};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 256 << 20;

pub(crate) struct Client {
    agent: Agent,
    url: String,
    key: String,
}

impl Client {
    /// The hub that the arguments or the environment name, else that of the data directory.
    pub(crate) fn new(choice: &HubChoice) -> anyhow::Result<Client> {
        let data_dir = choice.data_dir.clone().unwrap_or_else(default_data_dir);
        let local = DataDir::address(&data_dir);
        let url = match (&choice.url, &local) {
            (Some(url), _) => url.clone(),
            (None, Ok(local)) => local.url.clone(),
            (None, Err(error)) => bail!(
                "no hub: {} names none ({error}); give --url, BERGFRIED_URL or --data-dir",
                data_dir.display()
            ),
        };
        let key = match (&choice.key, local.ok().and_then(|local| local.key)) {
            (Some(key), _) => key.clone(),
            (None, Some(key)) => key.expose().to_owned(),
            (None, None) => bail!(
                "no key: {} holds none that can be read; give --key or BERGFRIED_KEY",
                data_dir.display()
            ),
        };
        let mut tls = TlsConfig::builder();
        if let Some(path) = &choice.ca_file {
            tls = tls.root_certs(RootCerts::new_with_certs(&roots(path)?));
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(5)))
            .user_agent(concat!("bergfried/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Client { agent: config.into(), url: url.trim_end_matches('/').to_owned(), key })
    }

    pub(crate) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> anyhow::Result<T> {
        self.read(self.send_get(path, parameters, Some(Duration::from_secs(60)))?)
    }

    /// As [`Client::get`], for as long as the hub lets a search take.
    pub(crate) fn search<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> anyhow::Result<T> {
        self.read(self.send_get(path, parameters, None)?)
    }

    /// The lines of an answer that goes on until either side ends it.
    pub(crate) fn follow(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> anyhow::Result<impl BufRead + use<>> {
        let response = checked(self.send_get(path, parameters, None)?)?;
        Ok(BufReader::new(response.into_body().into_reader()))
    }

    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> anyhow::Result<T> {
        let request = self.agent.post(self.address(path)).header("authorization", self.bearer());
        let response = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .send(serde_json::to_string(body)?),
            None => request.send_empty(),
        };
        self.read(response.with_context(|| self.unreachable())?)
    }

    pub(crate) fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<T> {
        let request = self.agent.patch(self.address(path)).header("authorization", self.bearer());
        let request = request.header("content-type", "application/json");
        let response = request.send(serde_json::to_string(body)?);
        self.read(response.with_context(|| self.unreachable())?)
    }

    /// Posts where the answer has no body.
    pub(crate) fn post_empty(&self, path: &str) -> anyhow::Result<()> {
        let request = self.agent.post(self.address(path)).header("authorization", self.bearer());
        checked(request.send_empty().with_context(|| self.unreachable())?)?;
        Ok(())
    }

    pub(crate) fn delete(&self, path: &str) -> anyhow::Result<()> {
        let request = self.agent.delete(self.address(path)).header("authorization", self.bearer());
        checked(request.call().with_context(|| self.unreachable())?)?;
        Ok(())
    }

    fn send_get(
        &self,
        path: &str,
        parameters: &[(&str, String)],
        timeout: Option<Duration>,
    ) -> anyhow::Result<Response<Body>> {
        let mut request = self.agent.get(self.address(path)).header("authorization", self.bearer());
        for (name, value) in parameters {
            request = request.query(name, value);
        }
        let request = request.config().timeout_global(timeout).build();
        request.call().with_context(|| self.unreachable())
    }

    fn address(&self, path: &str) -> String {
        format!("{}/api/v1/{path}", self.url)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.key)
    }

    fn unreachable(&self) -> String {
        format!("cannot reach the hub at {}", self.url)
    }

    fn read<T: DeserializeOwned>(&self, response: Response<Body>) -> anyhow::Result<T> {
        let body = checked(response)?.into_body().into_with_config().limit(MAX_ANSWER).reader();
        serde_json::from_reader(BufReader::new(body))
            .with_context(|| format!("cannot understand the answer of {}", self.url))
    }
}

/// The certificates of a PEM file.
fn roots(path: &Path) -> anyhow::Result<Vec<Certificate<'static>>> {
    let failed = || format!("cannot use {}", path.display());
    let text = std::fs::read(path).with_context(failed)?;
    let roots: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
        .collect::<Result<_, _>>()
        .with_context(failed)?;
    if roots.is_empty() {
        bail!("{}: there is no certificate in it", failed());
    }
    Ok(roots)
}

/// The answer, or the hub's own words on why not.
fn checked(response: Response<Body>) -> anyhow::Result<Response<Body>> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.into_body().into_with_config().limit(1 << 20).read_to_string();
    let said = text
        .ok()
        .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
        .and_then(|body| body.get("error").and_then(|error| error.as_str().map(str::to_owned)));
    match said {
        // Several lines hold a caret, which must stay under its place.
        Some(said) => {
            bail!("{}", said.lines().map(crate::terminal::plain).collect::<Vec<_>>().join("\n"))
        }
        None => bail!("the hub answered {status}"),
    }
}
