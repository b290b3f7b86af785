//! Tokens that a login gives: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256.
//!
//! No other algorithm is taken, whatever a token's header says of itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bergfried_control::{Control, ControlError, Secret};
use bergfried_event::Timestamp;
use ring::hmac;
use serde::{Deserialize, Serialize};

/// Where the key is kept that the hub makes.
const SETTING: &str = "alerta.secret_key";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 16 * 1024;
/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 10;

/// What a token says; the web page reads most of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) typ: String,
    /// The user's id.
    pub(crate) sub: String,
    pub(crate) aud: String,
    /// Seconds since 1970, as the next two.
    pub(crate) exp: i64,
    pub(crate) nbf: i64,
    pub(crate) iat: i64,
    pub(crate) jti: String,
    pub(crate) name: String,
    pub(crate) preferred_username: String,
    pub(crate) email: Option<String>,
    pub(crate) provider: String,
    pub(crate) roles: Vec<String>,
    pub(crate) groups: Vec<String>,
    /// With spaces in between.
    pub(crate) scope: String,
    pub(crate) email_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customers: Option<Vec<String>>,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("Token is invalid")]
    Invalid,
    #[error("Token has expired")]
    Expired,
    #[error("Token is not valid yet")]
    Early,
    #[error("Invalid audience")]
    Audience,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// Signs tokens and checks them.
#[derive(Debug)]
pub(crate) struct Signer {
    key: hmac::Key,
    audience: String,
}

impl Signer {
    /// With the key of the settings, or the one that the control store keeps and that the first start
    /// makes.
    ///
    /// # Errors
    /// Where the control store fails, or the system gives no random bytes.
    pub(crate) fn open(
        given: Option<&Secret>,
        audience: &str,
        control: &Control,
    ) -> Result<Signer, ControlError> {
        let kept = match given {
            Some(given) => given.expose().to_owned(),
            None => match control.setting(SETTING)? {
                Some(kept) => kept,
                None => {
                    let made = Secret::random()?;
                    control.set_setting(SETTING, made.expose())?;
                    made.expose().to_owned()
                }
            },
        };
        Ok(Self::new(kept.as_bytes(), audience))
    }

    fn new(key: &[u8], audience: &str) -> Signer {
        Signer { key: hmac::Key::new(hmac::HMAC_SHA256, key), audience: audience.to_owned() }
    }

    /// Whom tokens are for.
    pub(crate) fn audience(&self) -> &str {
        &self.audience
    }

    /// A token that says this.
    pub(crate) fn sign(&self, claims: &Claims) -> Option<String> {
        let body = serde_json::to_vec(claims).ok()?;
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(body));
        let tag = hmac::sign(&self.key, text.as_bytes());
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag)))
    }

    /// What a token says, where it was signed here, is for this hub and holds now.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid);
        }
        let (text, tag) = token.rsplit_once('.').ok_or(TokenError::Invalid)?;
        let (header, body) = text.split_once('.').ok_or(TokenError::Invalid)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Invalid);
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Invalid)?;
        if header.alg != "HS256" {
            return Err(TokenError::Invalid);
        }
        // Compares in constant time.
        hmac::verify(&self.key, text.as_bytes(), &decode(tag)?).map_err(|_| TokenError::Invalid)?;
        let claims: Claims =
            serde_json::from_slice(&decode(body)?).map_err(|_| TokenError::Invalid)?;
        match () {
            () if claims.aud != self.audience => Err(TokenError::Audience),
            () if is_over(claims.exp, now) => Err(TokenError::Expired),
            () if claims.nbf > seconds(now).saturating_add(LEEWAY) => Err(TokenError::Early),
            () => Ok(claims),
        }
    }
}

/// Whether a token that ends then is not taken any more.
pub(crate) fn is_over(exp: i64, now: Timestamp) -> bool {
    exp <= seconds(now).saturating_sub(LEEWAY)
}

fn seconds(now: Timestamp) -> i64 {
    now.micros().div_euclid(Timestamp::SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            iss: "http://hub/api".to_owned(),
            typ: "Bearer".to_owned(),
            sub: "id".to_owned(),
            aud: "/api".to_owned(),
            exp: 2_000,
            nbf: 1_000,
            iat: 1_000,
            jti: "j".to_owned(),
            name: "Ann".to_owned(),
            preferred_username: "ann".to_owned(),
            email: None,
            provider: "basic".to_owned(),
            roles: vec!["user".to_owned()],
            groups: Vec::new(),
            scope: "read write".to_owned(),
            email_verified: false,
            customers: None,
        }
    }

    fn forged(header: &str, claims: &Claims, key: &[u8]) -> String {
        let body = serde_json::to_vec(claims).unwrap();
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    #[test]
    fn a_token_holds_for_its_time_and_its_audience() {
        let signer = Signer::new(b"key", "/api");
        let token = signer.sign(&claims()).unwrap();
        let at = |seconds| signer.check(&token, Timestamp::from_seconds(seconds));
        assert_eq!(at(1_500), Ok(claims()));
        assert_eq!(at(995), Ok(claims()), "clocks are apart a little");
        assert_eq!(at(900), Err(TokenError::Early));
        assert_eq!(at(2_010), Err(TokenError::Expired));
        let other = Signer::new(b"key", "/other");
        let now = Timestamp::from_seconds(1_500);
        assert_eq!(other.check(&token, now), Err(TokenError::Audience));
        assert_eq!(Signer::new(b"kez", "/api").check(&token, now), Err(TokenError::Invalid));
    }

    #[test]
    fn what_was_not_signed_here_is_no_token() {
        let signer = Signer::new(b"key", "/api");
        let token = signer.sign(&claims()).unwrap();
        let (text, tag) = token.rsplit_once('.').unwrap();
        let admin = Claims { scope: "admin".to_owned(), ..claims() };
        for bad in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            format!("{text}."),
            text.to_owned(),
            format!("{text}.{tag}."),
            format!("{text}.{tag}=="),
            forged(r#"{"alg":"none","typ":"JWT"}"#, &claims(), b"key"),
            forged(r#"{"alg":"HS512"}"#, &claims(), b"key"),
            forged(HEADER, &admin, b""),
            forged(HEADER, &admin, b"changeme"),
            format!("{token}{}", "x".repeat(MAX_TOKEN)),
        ] {
            let checked = signer.check(&bad, Timestamp::from_seconds(1_500));
            assert_eq!(checked, Err(TokenError::Invalid), "{bad}");
        }
    }

    #[test]
    fn the_key_that_is_made_outlasts_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let control = Control::open(&directory.path().join("control.sqlite")).unwrap();
        let token = Signer::open(None, "/api", &control).unwrap().sign(&claims()).unwrap();
        let now = Timestamp::from_seconds(1_500);
        assert!(Signer::open(None, "/api", &control).unwrap().check(&token, now).is_ok());
        let given = Secret::new("another key");
        let other = Signer::open(Some(&given), "/api", &control).unwrap();
        assert_eq!(other.check(&token, now), Err(TokenError::Invalid));
    }
}
