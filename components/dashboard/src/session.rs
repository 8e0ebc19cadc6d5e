//! Sessions: an encrypted cookie that contains the token.
//!
//! The cookie is encrypted and authenticated (XChaCha20-Poly1305) under a key that the application generates and
//! stores. There is no list of sessions: a page reads the key and the time of the last "Sign out everywhere" of the
//! token, which ends all older sessions. The API checks the token on every call, so a revoked token stops working at
//! once.

use api::Problem;
use api::problem::Code;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use domain::ids::token_digest;
use domain::role::Role;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::kv::Kv;
use store::{document, keys};
use subtle::ConstantTimeEq as _;

/// The cookie's name.
pub(crate) const COOKIE: &str = "gatehouse_session";
/// The lifetime of a session, in seconds: a working day. Use does not extend it.
pub(crate) const LIFETIME_S: i64 = 12 * 60 * 60;
/// The longest accepted cookie, in bytes: the limit of browsers.
const COOKIE_BYTES_MAX: usize = 4096;
const NONCE_BYTES: usize = 24;

/// The session of a signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The token used to sign in.
    pub(crate) token: String,
    /// The CSRF token in all forms of the session.
    pub(crate) csrf: String,
    /// The person or machine that the token was issued to.
    pub(crate) subject: String,
    /// The role of the token.
    pub(crate) role: Role,
    /// The project of the token; absent for an account admin.
    pub(crate) project: Option<String>,
    /// True if the token is limited to some targets.
    pub(crate) some_targets: bool,
    /// The time of signing in.
    pub(crate) since: Timestamp,
}

/// The stored form of the key of all sessions.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    v: u8,
    key: [u8; 32],
}

/// The stored time of the last "Sign out everywhere" of a token.
#[derive(Serialize, Deserialize)]
struct SignedOut {
    v: u8,
    at: Timestamp,
}

/// Returns the key of all sessions, and generates it first if it is missing. Of two that are generated at the same time
/// one stays; sessions under the other are not valid, so their users sign in again.
///
/// # Errors
/// The store or `generate` failed.
pub(crate) async fn key(
    kv: &impl Kv,
    generate: impl FnOnce() -> Result<[u8; 32], Problem>,
) -> Result<[u8; 32], Problem> {
    let key = keys::session_key();
    if let Some(stored) = document::find::<StoredKey>(kv, &key).await? {
        return Ok(stored.key);
    }
    document::put(kv, &key, &StoredKey { v: 1, key: generate()? }).await?;
    Ok(document::get::<StoredKey>(kv, &key).await?.key)
}

/// True if "Sign out everywhere" ended this session.
///
/// # Errors
/// The store failed.
pub(crate) async fn is_signed_out(kv: &impl Kv, session: &Session) -> Result<bool, Problem> {
    let ended: Option<SignedOut> = document::find(kv, &keys::signed_out(&token_digest(&session.token))).await?;
    Ok(ended.is_some_and(|ended| session.since <= ended.at))
}

/// Ends all sessions of this session's token, in all browsers.
///
/// # Errors
/// The store failed.
pub(crate) async fn sign_out_everywhere(kv: &impl Kv, session: &Session, now: Timestamp) -> Result<(), Problem> {
    let key = keys::signed_out(&token_digest(&session.token));
    Ok(document::put(kv, &key, &SignedOut { v: 1, at: now.max(session.since) }).await?)
}

/// The reason why a form without the CSRF token of the session is not processed.
pub(crate) const FOREIGN_FORM: &str =
    "the form is from another session or from one that has ended, so nothing was saved; check it and send it again";

/// The problem of a form without the CSRF token of the session.
pub(crate) fn foreign_form() -> Problem {
    Problem::new(Code::Conflict, FOREIGN_FORM)
}

impl Session {
    /// Encrypts the session into the value of a cookie.
    ///
    /// # Errors
    /// The encryption failed: an internal error.
    pub(crate) fn seal(&self, key: &[u8; 32], nonce: [u8; NONCE_BYTES]) -> Result<String, Problem> {
        let json = serde_json::to_vec(self).map_err(|error| Problem::internal(error.to_string()))?;
        let sealed = XChaCha20Poly1305::new(Key::from_slice(key)).encrypt(XNonce::from_slice(&nonce), json.as_slice());
        let sealed = sealed.map_err(|_| Problem::internal("a session cannot be encrypted"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts the session in a cookie's value; `None` if the cookie is foreign or expired.
    pub(crate) fn open(key: &[u8; 32], value: &str, now: Timestamp) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok().filter(|_| value.len() <= COOKIE_BYTES_MAX)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let json = XChaCha20Poly1305::new(Key::from_slice(key)).decrypt(XNonce::from_slice(nonce), sealed).ok()?;
        let session: Self = serde_json::from_slice(&json).ok()?;
        let age_ms = now.ms_since(session.since);
        (age_ms < LIFETIME_S.saturating_mul(1000)).then_some(session)
    }

    /// True if this is the session's CSRF token.
    pub(crate) fn has_csrf(&self, csrf: &str) -> bool {
        self.csrf.as_bytes().ct_eq(csrf.as_bytes()).into()
    }

    /// The header `Set-Cookie` with a session. `secure`: the browser sends the cookie over TLS only.
    pub(crate) fn cookie(value: &str, secure: bool) -> String {
        format!("{COOKIE}={value}; Path=/; Max-Age={LIFETIME_S}; HttpOnly; SameSite=Lax{}", secure_attribute(secure))
    }

    /// The header `Set-Cookie` that removes the session.
    pub(crate) fn no_cookie(secure: bool) -> String {
        format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", secure_attribute(secure))
    }
}

fn secure_attribute(secure: bool) -> &'static str {
    if secure { "; Secure" } else { "" }
}

/// The value of the session cookie in a header `Cookie` (RFC 6265, section 4.2.1).
pub(crate) fn cookie_in(header: &str) -> Option<&str> {
    header.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use store::memory::MemoryKv;

    fn session() -> Session {
        Session {
            token: "gate_x".to_owned(),
            csrf: "c".repeat(32),
            subject: "ann".to_owned(),
            role: Role::Developer,
            project: Some("shop".to_owned()),
            some_targets: false,
            since: Timestamp::from_ms(1_000_000),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(1_000_000 + seconds * 1000)
    }

    #[test]
    fn a_session_is_valid_under_its_key_until_it_ends() {
        let (key, session) = ([7; 32], session());
        let value = session.seal(&key, [1; 24]).unwrap();
        assert_eq!(Session::open(&key, &value, at(0)), Some(session.clone()));
        assert_eq!(Session::open(&key, &value, at(LIFETIME_S - 1)), Some(session.clone()));
        assert_eq!(Session::open(&key, &value, at(LIFETIME_S)), None, "expired");
        assert_eq!(Session::open(&[8; 32], &value, at(0)), None, "another key's");
        assert!(!value.contains("gate_x") && value.len() < 1000);
        for bad in ["", "x", "AAAA", &"A".repeat(10_000), &value[1..], &format!("{value}AA")] {
            assert_eq!(Session::open(&key, bad, at(0)), None, "{bad:.20}");
        }
        let mut changed = value.into_bytes();
        changed[60] = if changed[60] == b'A' { b'B' } else { b'A' };
        assert_eq!(Session::open(&key, std::str::from_utf8(&changed).unwrap(), at(0)), None, "changed");
    }

    #[test]
    fn a_form_needs_the_csrf_token_of_the_session() {
        assert!(session().has_csrf(&"c".repeat(32)));
        assert!(
            !session().has_csrf("") && !session().has_csrf(&"d".repeat(32)) && !session().has_csrf(&"c".repeat(31))
        );
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        assert_eq!(cookie_in("a=b; gatehouse_session=x.y; c=d"), Some("x.y"));
        assert_eq!(cookie_in("gatehouse_session="), Some(""));
        assert_eq!(cookie_in("gatehouse_session2=x; not_gatehouse_session=y"), None);
        assert_eq!(cookie_in(""), None);
        assert!(Session::cookie("v", true).ends_with("; HttpOnly; SameSite=Lax; Secure"));
        assert!(!Session::cookie("v", false).contains("Secure"));
    }

    #[test]
    fn signing_out_everywhere_ends_earlier_sessions() {
        let (kv, old) = (MemoryKv::default(), session());
        let other = Session { token: "gate_y".to_owned(), ..session() };
        block_on(async {
            assert!(!is_signed_out(&kv, &old).await.unwrap());
            sign_out_everywhere(&kv, &old, at(10)).await.unwrap();
            assert!(is_signed_out(&kv, &old).await.unwrap());
            assert!(!is_signed_out(&kv, &other).await.unwrap(), "another token's");
            let again = Session { since: at(11), ..session() };
            assert!(!is_signed_out(&kv, &again).await.unwrap(), "a later session");
        });
    }

    #[test]
    fn the_key_is_generated_once() {
        let kv = MemoryKv::default();
        assert_eq!(block_on(key(&kv, || Ok([1; 32]))).unwrap(), [1; 32]);
        assert_eq!(block_on(key(&kv, || Err(Problem::internal("no second key is generated")))).unwrap(), [1; 32]);
    }
}
