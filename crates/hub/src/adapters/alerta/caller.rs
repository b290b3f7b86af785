//! Who makes a request of Alerta's API, and what they may do.
//!
//! The forms are tried in one order: a key (`Authorization: Key`, `X-API-Key`, `?api-key=`), a token
//! (`Bearer`), the headers of a trusted proxy, a name and password (`Basic`), and nothing at all. Where
//! a form is there and wrong, the request is refused, whatever else it carries. The hub's own admin
//! keys work wherever a key does, with every scope. No message repeats a secret.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bergfried_control::TokenKind;

use super::accounts::{Accounts, Directory, Key, User};
use super::error::Refusal;
use super::passwords::Passwords;
use super::scopes::{self, Subject};
use super::settings::{Auth, Proxy};
use super::token::{Claims, Signer};
use super::wire;
use crate::router::State;
use crate::running::now;

/// How long the hub's own keys are remembered, unless one is revoked.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
const MAX_REMEMBERED: usize = 256;

/// How a caller said who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A key of the API, or one of the hub's admin keys.
    Key,
    /// A token of a login.
    Token,
    /// A proxy, or a name and password.
    Login,
    /// Not at all.
    Anonymous,
}

/// Who makes a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The name that goes into histories.
    pub(crate) name: Option<String>,
    /// The id of the user, where it is one that the hub knows.
    pub(crate) user: Option<String>,
    pub(crate) scopes: Vec<String>,
    /// Whose alerts they see; none: everyone's.
    pub(crate) customers: Option<Vec<String>>,
    pub(crate) form: Form,
    /// What the token said, where it was one.
    pub(crate) claims: Option<Box<Claims>>,
    /// Nobody has to say who they are, so that everything is allowed to everyone.
    is_free: bool,
    delete_scopes: Arc<[String]>,
}

impl Caller {
    /// Refuses who does not have this scope.
    pub(crate) fn require(&self, scope: &str) -> Result<(), Refusal> {
        if self.is_free || self.has(scope) {
            return Ok(());
        }
        Err(Refusal::forbidden(format!("Missing required scope: {scope}")))
    }

    /// Whether they have this scope; without authentication nobody has any.
    pub(crate) fn has(&self, scope: &str) -> bool {
        scopes::allows(&self.scopes, scope, &self.delete_scopes)
    }

    /// Refuses to grant what they do not have themselves.
    pub(crate) fn may_grant(&self, granted: &[String]) -> Result<(), Refusal> {
        match scopes::beyond(&self.scopes, granted, &self.delete_scopes) {
            None => Ok(()),
            Some(scope) => Err(Refusal::forbidden(format!(
                "nobody can grant a scope that they do not have: Missing required scope: {}",
                scope.escape_debug()
            ))),
        }
    }

    /// Whether they may see what belongs to this customer.
    pub(crate) fn sees(&self, customer: Option<&str>) -> bool {
        match &self.customers {
            None => true,
            Some(own) => customer.is_some_and(|customer| own.iter().any(|own| own == customer)),
        }
    }

    /// Refuses what is about everyone's alerts, where they see only some customers'.
    pub(crate) fn require_every_customer(&self) -> Result<(), Refusal> {
        match &self.customers {
            None => Ok(()),
            Some(_) => Err(Refusal::forbidden("this is for who sees the alerts of every customer")),
        }
    }

    /// Refuses to take over someone who sees these customers' alerts: nobody sees more for it.
    pub(crate) fn may_be_who_sees(&self, theirs: Option<&[String]>) -> Result<(), Refusal> {
        let sees_as_much = match (&self.customers, theirs) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(theirs)) => theirs.iter().all(|one| own.contains(one)),
        };
        match sees_as_much {
            true => Ok(()),
            false => Err(Refusal::forbidden("they see alerts of customers that you do not see")),
        }
    }

    /// The customer of something new that they send: the one they ask for, where they see it, or
    /// else their own. No scope lifts that: who is held to some customers writes into no other.
    pub(crate) fn customer_of_new(
        &self,
        wanted: Option<String>,
    ) -> Result<Option<String>, Refusal> {
        let Some(own) = &self.customers else { return Ok(wanted) };
        match (wanted, own.as_slice()) {
            (Some(wanted), _) if own.contains(&wanted) => Ok(Some(wanted)),
            (Some(wanted), _) => {
                let wanted = wanted.escape_debug();
                Err(Refusal::invalid(format!("not allowed to set customer to '{wanted}'")))
            }
            (None, [only]) => Ok(Some(only.clone())),
            (None, []) => Err(Refusal::invalid("must define customer, there is none of your own")),
            (None, _) => Err(Refusal::invalid("must define customer as more than one possibility")),
        }
    }
}

/// Everything by which callers are known.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) passwords: Passwords,
    pub(crate) signer: Signer,
    admin_keys: AdminKeys,
    delete_scopes: Arc<[String]>,
}

impl Gate {
    pub(crate) fn new(
        accounts: Accounts,
        passwords: Passwords,
        signer: Signer,
        auth: &Auth,
    ) -> Gate {
        Gate {
            accounts: Arc::new(accounts),
            passwords,
            signer,
            admin_keys: AdminKeys::default(),
            delete_scopes: auth.delete_scopes.as_slice().into(),
        }
    }

    fn caller(&self, form: Form, name: Option<String>, scopes: Vec<String>) -> Caller {
        let delete_scopes = Arc::clone(&self.delete_scopes);
        Caller {
            name,
            user: None,
            scopes,
            customers: None,
            form,
            claims: None,
            is_free: false,
            delete_scopes,
        }
    }

    /// The caller that a user is, with these roles.
    pub(crate) fn of_user(
        &self,
        auth: &Auth,
        directory: &Directory,
        user: &User,
        roles: &[String],
        form: Form,
    ) -> Result<Caller, Refusal> {
        let groups = directory.groups_of(&user.id);
        let subject = user.subject(roles, &groups);
        let rows = directory.permissions.values();
        let rows = rows.map(|row| (row.matched.as_str(), row.scopes.as_slice()));
        let scopes = subject.scopes(auth, rows);
        let customers = customers(auth, directory, &subject)?;
        Ok(Caller {
            user: Some(user.id.clone()),
            customers,
            ..self.caller(form, Some(user.login.clone()), scopes)
        })
    }

    async fn of_key(&self, state: &State, secret: &str) -> Result<Caller, Refusal> {
        let directory = self.accounts.now();
        if let Some(key) = directory.key_of(secret) {
            return self.of_kept_key(&state.alerta.auth, &directory, key);
        }
        if let Some(name) = self.admin_keys.name_of(state, secret).await? {
            let scopes = ["admin", "read", "write"].map(str::to_owned).to_vec();
            return Ok(self.caller(Form::Key, Some(name), scopes));
        }
        Err(Refusal::unauthorized("API key is invalid"))
    }

    fn of_kept_key(
        &self,
        auth: &Auth,
        directory: &Directory,
        key: &Key,
    ) -> Result<Caller, Refusal> {
        let now = now();
        if key.expires <= now {
            return Err(Refusal::unauthorized("API key has expired"));
        }
        let user = directory.user_named(&key.user);
        if user.is_some_and(|user| !user.is_active()) {
            return Err(Refusal::forbidden("the user of this API key is not active"));
        }
        let customers = match (&key.customer, user) {
            _ if !auth.customer_views => None,
            (Some(customer), _) => Some(vec![customer.clone()]),
            // A key that names no customer opens no more than its user sees.
            (None, Some(user)) if !key.scopes.iter().any(|scope| scope == "admin") => {
                let groups = directory.groups_of(&user.id);
                self::customers(auth, directory, &user.subject(&user.roles, &groups))?
            }
            (None, _) => None,
        };
        if self.accounts.used(&key.id, now) {
            let accounts = Arc::clone(&self.accounts);
            // Nobody waits for the counts to be written.
            drop(tokio::task::spawn_blocking(move || accounts.write_uses()));
        }
        Ok(Caller {
            user: user.map(|user| user.id.clone()),
            customers,
            ..self.caller(Form::Key, Some(key.user.clone()), key.scopes.clone())
        })
    }

    fn of_token(&self, auth: &Auth, token: &str) -> Result<Caller, Refusal> {
        let refused = |error: super::token::TokenError| Refusal::unauthorized(error.to_string());
        let claims = self.signer.check(token, now()).map_err(refused)?;
        let directory = self.accounts.now();
        // What a user may do is what holds now, not what held at the login.
        let user = directory
            .users
            .get(&claims.sub)
            .ok_or_else(|| Refusal::unauthorized("Token is invalid: its user is gone"))?;
        if !user.takes(&claims) {
            let message = "Token has expired: its user logged out or has a new password";
            return Err(Refusal::unauthorized(message));
        }
        if !user.is_active() {
            return Err(Refusal::forbidden(format!("User {} not active", user.login)));
        }
        let caller = self.of_user(auth, &directory, user, &user.roles, Form::Token)?;
        Ok(Caller { claims: Some(Box::new(claims)), ..caller })
    }

    /// The user with this name and password.
    ///
    /// # Errors
    /// 401 where they are wrong, 403 where the user may not log in, 429 after too many failures.
    pub(crate) async fn log_in(
        &self,
        auth: &Auth,
        name: &str,
        password: &str,
        from: Option<IpAddr>,
    ) -> Result<Arc<User>, Refusal> {
        let user = self.accounts.now().user_named(name).cloned();
        let kept = user.as_ref().and_then(|user| user.password.as_deref());
        let is_right = self.passwords.check(name, password, kept, from).await?;
        let Some(user) = user.filter(|_| is_right) else {
            return Err(Refusal::unauthorized("Invalid username or password"));
        };
        if !user.is_active() {
            return Err(Refusal::forbidden(format!("User {} not active", user.login)));
        }
        if auth.email_verification && !user.email_verified {
            return Err(Refusal::forbidden(format!("email of {} is not verified", user.login)));
        }
        let address = user.email.as_deref().unwrap_or(&user.login);
        if !allows_domain(auth, address) {
            return Err(Refusal::forbidden(format!("User {} is not authorized", user.login)));
        }
        Ok(user)
    }

    async fn of_proxy(
        &self,
        state: &State,
        proxy: &Proxy,
        headers: &HeaderMap,
        name: &str,
    ) -> Result<Caller, Refusal> {
        let auth = &state.alerta.auth;
        let roles = headers.get(proxy.roles_header.as_str()).and_then(|value| value.to_str().ok());
        let roles: Option<Vec<String>> = roles.map(|roles| {
            let roles = roles.split(&proxy.roles_separator).map(str::trim);
            roles.filter(|role| !role.is_empty()).take(100).map(str::to_owned).collect()
        });
        let mut directory = self.accounts.now();
        if directory.user_named(name).is_none() {
            if !proxy.auto_signup {
                return Err(Refusal::forbidden("this user is not known here"));
            }
            let user = new_user(auth, name, roles.clone());
            let change = move |draft: &mut super::accounts::Draft| {
                // Two requests may come at once.
                match draft.directory.user_named(&user.login) {
                    Some(_) => Ok(()),
                    None => draft.put(user).map(drop),
                }
            };
            self.accounts.change(change).await?;
            directory = self.accounts.now();
        }
        let Some(user) = directory.user_named(name) else { return Err(Refusal::not_found()) };
        if !user.is_active() {
            return Err(Refusal::forbidden(format!("User {} not active", user.login)));
        }
        let roles = roles.as_deref().unwrap_or(&user.roles);
        self.of_user(auth, &directory, user, roles, Form::Login)
    }
}

/// A user whom a proxy brings.
fn new_user(auth: &Auth, name: &str, roles: Option<Vec<String>>) -> User {
    User {
        id: wire::new_id(),
        name: name.to_owned(),
        login: name.to_owned(),
        email: name.contains('@').then(|| name.to_owned()),
        password: None,
        status: "active".to_owned(),
        roles: roles.unwrap_or_else(|| vec![auth.default_user_role.clone()]),
        attributes: serde_json::Map::new(),
        text: String::new(),
        created: now(),
        last_login: Some(now()),
        updated: None,
        email_verified: false,
        is_vouched: true,
        tokens_since: None,
        ended_tokens: Vec::new(),
    }
}

/// What a user may do, and whose alerts they see.
pub(crate) struct Rights {
    pub(crate) scopes: Vec<String>,
    /// None: everyone's.
    pub(crate) customers: Option<Vec<String>>,
    /// Whether they would see only some customers', and no customer is set for them.
    pub(crate) sees_nobody: bool,
}

impl Rights {
    pub(crate) fn of(auth: &Auth, directory: &Directory, user: &User) -> Rights {
        let groups = directory.groups_of(&user.id);
        let subject = user.subject(&user.roles, &groups);
        let rows = directory.permissions.values();
        let rows = rows.map(|row| (row.matched.as_str(), row.scopes.as_slice()));
        let scopes = subject.scopes(auth, rows);
        match customers(auth, directory, &subject) {
            Ok(customers) => Rights { scopes, customers, sees_nobody: false },
            Err(_) => Rights { scopes, customers: Some(Vec::new()), sees_nobody: true },
        }
    }
}

pub(super) fn customers(
    auth: &Auth,
    directory: &Directory,
    subject: &Subject<'_>,
) -> Result<Option<Vec<String>>, Refusal> {
    let rows = directory.customers.values();
    let rows = rows.map(|row| (row.matched.as_str(), row.customer.as_str()));
    subject.customers(auth, rows).map_err(|scopes::NoCustomer| {
        Refusal::forbidden(format!("no customer is set for user {}", subject.login))
    })
}

/// Whether people with this address may log in.
pub(crate) fn allows_domain(auth: &Auth, address: &str) -> bool {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    auth.email_domains.iter().any(|allowed| allowed == "*" || domain == Some(allowed.as_str()))
}

/// The address that a request comes from.
pub(crate) fn peer(parts: &Parts) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

impl FromRequestParts<State> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Refusal> {
        let called = caller_of(parts, state).await;
        called.map_err(|refusal| challenged(refusal, parts, &state.alerta.auth))
    }
}

async fn caller_of(parts: &mut Parts, state: &State) -> Result<Caller, Refusal> {
    let (gate, auth) = (&state.gate, &state.alerta.auth);
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text("authorization").map(str::trim).unwrap_or_default();
    let (scheme, secret) = authorization.split_once(' ').unwrap_or((authorization, ""));
    let (scheme, secret) = (scheme.to_ascii_lowercase(), secret.trim());
    if scheme == "key" {
        return gate.of_key(state, secret).await;
    }
    if let Some(key) = text("x-api-key") {
        return gate.of_key(state, key.trim()).await;
    }
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    if let Some((_, key)) = form_urlencoded::parse(query).find(|(name, _)| name == "api-key") {
        return gate.of_key(state, &key).await;
    }
    match scheme.as_str() {
        "bearer" if secret.split('.').count() == 3 => return gate.of_token(auth, secret),
        // A key sent as a token, as clients of the hub's own API do.
        "bearer" => return gate.of_key(state, secret).await,
        "hawk" => {
            return Err(Refusal::unauthorized("Hawk is not supported here, send an API key"));
        }
        _ => {}
    }
    let from = peer(parts);
    if let Some(proxy) = &state.alerta.proxy
        && let Some(name) = text(&proxy.user_header).filter(|name| !name.is_empty())
        && from.is_some_and(|from| proxy.trusted.iter().any(|network| network.contains(&from)))
    {
        return gate.of_proxy(state, proxy, &parts.headers, name).await;
    }
    if scheme == "basic" {
        let wrong = || {
            Refusal::invalid("cannot read `Authorization: Basic`, expected base64 of name:password")
        };
        let (name, password) = basic(secret).ok_or_else(wrong)?;
        let user = gate.log_in(auth, &name, &password, from).await?;
        let directory = gate.accounts.now();
        return gate.of_user(auth, &directory, &user, &user.roles, Form::Login);
    }
    if !auth.required {
        let caller = gate.caller(Form::Anonymous, None, Vec::new());
        return Ok(Caller { is_free: true, ..caller });
    }
    if auth.allow_readonly {
        let caller = gate.caller(Form::Anonymous, None, auth.readonly_scopes.clone());
        // Strangers are nobody's customer.
        return Ok(Caller { customers: auth.customer_views.then(Vec::new), ..caller });
    }
    Err(Refusal::unauthorized("Missing authorization API Key or Bearer Token"))
}

/// A name and password; the password may contain `:` (RFC 7617, section 2).
fn basic(text: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// A 401 says what would be taken (RFC 9110, section 11.6.1).
fn challenged(refusal: Refusal, parts: &Parts, auth: &Auth) -> Refusal {
    if refusal.status() != axum::http::StatusCode::UNAUTHORIZED {
        return refusal;
    }
    let is_basic = parts.headers.get(header::AUTHORIZATION).is_some_and(|value| {
        value.as_bytes().get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"basic"))
    });
    // A browser would ask for a password where it sees `Basic`, so only who tried it is told.
    let challenge =
        if is_basic { format!("Basic realm=\"{}\"", auth.realm) } else { "Bearer".into() };
    match HeaderValue::from_str(&challenge) {
        Ok(challenge) => refusal.with_header(header::WWW_AUTHENTICATE, challenge),
        Err(_) => refusal,
    }
}

/// The hub's own admin keys, remembered by their hash so that not every request asks the database.
#[derive(Debug, Default)]
struct AdminKeys(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// See `Control::token_changes`.
    changes: u64,
    names: HashMap<[u8; 32], (String, Instant)>,
}

impl AdminKeys {
    /// The name of the key with this secret.
    async fn name_of(&self, state: &State, secret: &str) -> Result<Option<String>, Refusal> {
        let hash = *blake3::hash(secret.as_bytes()).as_bytes();
        // Asked before the database is, so that a revocation in between is not missed.
        let changes = state.control.token_changes();
        {
            let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if remembered.changes != changes {
                *remembered = Remembered { changes, names: HashMap::new() };
            }
            if let Some((name, until)) = remembered.names.get(&hash)
                && Instant::now() < *until
            {
                return Ok(Some(name.clone()));
            }
        }
        let found = crate::auth::check(state, TokenKind::Admin, secret.to_owned()).await?;
        let Some(token) = found else { return Ok(None) };
        let name = crate::auth::person(token.name);
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.changes == changes {
            if remembered.names.len() >= MAX_REMEMBERED {
                remembered.names.clear();
            }
            remembered.names.insert(hash, (name.clone(), Instant::now() + REMEMBERED_FOR));
        }
        Ok(Some(name))
    }
}
