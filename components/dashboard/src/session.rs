//! Signing in: a session is a cookie that only we can read or make, and it holds the token that it stands for.
//!
//! The cookie is encrypted and authenticated (XChaCha20-Poly1305) under a key that the application made for itself. So a
//! page costs two reads, no list of sessions is kept, and what the token may do is asked of the API with each call: a token
//! that is revoked opens nothing any more. To sign out everywhere is to note a time; older sessions of the token are none.

use api::Problem;
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
/// How long a session lasts, in seconds: a working day. It does not grow longer by use.
pub(crate) const LASTS_S: i64 = 12 * 60 * 60;
/// The longest cookie that is looked at, in bytes: what browsers keep.
const COOKIE_BYTES_MAX: usize = 4096;
const NONCE_BYTES: usize = 24;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The token they signed in with.
    pub(crate) token: String,
    /// What their forms carry, so that no other site's can stand for them.
    pub(crate) csrf: String,
    /// Whom the token is for.
    pub(crate) subject: String,
    /// What it allows.
    pub(crate) role: Role,
    /// The one project it is good for; absent for an account admin.
    pub(crate) project: Option<String>,
    /// Whether it is good for some targets only.
    pub(crate) some_targets: bool,
    /// When they signed in.
    pub(crate) since: Timestamp,
}

/// The key of all sessions, as it is stored.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    v: u8,
    key: [u8; 32],
}

/// When all sessions of a token were ended.
#[derive(Serialize, Deserialize)]
struct SignedOut {
    v: u8,
    at: Timestamp,
}

/// The key of all sessions; made if there is none. Of two that are made at once one stays, and sessions under the other are
/// none: whoever has one signs in again.
///
/// # Errors
/// The store failed, or there is no `fresh` one.
pub(crate) async fn key(kv: &impl Kv, fresh: impl FnOnce() -> Result<[u8; 32], Problem>) -> Result<[u8; 32], Problem> {
    let key = keys::session_key();
    if let Some(stored) = document::find::<StoredKey>(kv, &key).await? {
        return Ok(stored.key);
    }
    document::put(kv, &key, &StoredKey { v: 1, key: fresh()? }).await?;
    Ok(document::get::<StoredKey>(kv, &key).await?.key)
}

/// Whether a session was not ended by signing out everywhere.
///
/// # Errors
/// The store failed.
pub(crate) async fn holds(kv: &impl Kv, session: &Session) -> Result<bool, Problem> {
    let ended: Option<SignedOut> = document::find(kv, &keys::signed_out(&token_digest(&session.token))).await?;
    Ok(ended.is_none_or(|ended| ended.at < session.since))
}

/// Ends all sessions of this one's token, also those that somebody else began with it.
///
/// # Errors
/// The store failed.
pub(crate) async fn end_all(kv: &impl Kv, session: &Session, now: Timestamp) -> Result<(), Problem> {
    let key = keys::signed_out(&token_digest(&session.token));
    Ok(document::put(kv, &key, &SignedOut { v: 1, at: now.max(session.since) }).await?)
}

impl Session {
    /// The session as the value of a cookie.
    ///
    /// # Errors
    /// It can't be written, which is our fault.
    pub(crate) fn seal(&self, key: &[u8; 32], nonce: [u8; NONCE_BYTES]) -> Result<String, Problem> {
        let json = serde_json::to_vec(self).map_err(|error| Problem::internal(error.to_string()))?;
        let sealed = XChaCha20Poly1305::new(Key::from_slice(key)).encrypt(XNonce::from_slice(&nonce), json.as_slice());
        let sealed = sealed.map_err(|_| Problem::internal("a session can't be encrypted"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The session in a cookie's value. One that is none of ours, or that is over, is none; nobody is told which.
    pub(crate) fn open(key: &[u8; 32], value: &str, now: Timestamp) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok().filter(|_| value.len() <= COOKIE_BYTES_MAX)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let json = XChaCha20Poly1305::new(Key::from_slice(key)).decrypt(XNonce::from_slice(nonce), sealed).ok()?;
        let session: Self = serde_json::from_slice(&json).ok()?;
        let age_ms = now.ms_since(session.since);
        (age_ms < LASTS_S.saturating_mul(1000)).then_some(session)
    }

    /// Whether a form carries what this session's forms carry.
    pub(crate) fn made(&self, form: &str) -> bool {
        self.csrf.as_bytes().ct_eq(form.as_bytes()).into()
    }

    /// The header that gives a browser this session's cookie; `secure`: it is to be sent over TLS alone.
    pub(crate) fn cookie(value: &str, secure: bool) -> String {
        format!("{COOKIE}={value}; Path=/; Max-Age={LASTS_S}; HttpOnly; SameSite=Lax{}", secure_word(secure))
    }

    /// The header that takes it away.
    pub(crate) fn no_cookie(secure: bool) -> String {
        format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", secure_word(secure))
    }
}

fn secure_word(secure: bool) -> &'static str {
    if secure { "; Secure" } else { "" }
}

/// The value of our cookie in the header `Cookie` (RFC 6265, section 4.2.1).
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
    fn a_session_opens_under_its_key_until_it_is_over() {
        let (key, session) = ([7; 32], session());
        let value = session.seal(&key, [1; 24]).unwrap();
        assert_eq!(Session::open(&key, &value, at(0)), Some(session.clone()));
        assert_eq!(Session::open(&key, &value, at(LASTS_S - 1)), Some(session.clone()));
        assert_eq!(Session::open(&key, &value, at(LASTS_S)), None, "it is over");
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
    fn a_form_is_the_sessions_or_not() {
        assert!(session().made(&"c".repeat(32)));
        assert!(!session().made("") && !session().made(&"d".repeat(32)) && !session().made(&"c".repeat(31)));
    }

    #[test]
    fn our_cookie_is_found_among_others() {
        assert_eq!(cookie_in("a=b; gatehouse_session=x.y; c=d"), Some("x.y"));
        assert_eq!(cookie_in("gatehouse_session="), Some(""));
        assert_eq!(cookie_in("gatehouse_session2=x; not_gatehouse_session=y"), None);
        assert_eq!(cookie_in(""), None);
        assert!(Session::cookie("v", true).ends_with("; HttpOnly; SameSite=Lax; Secure"));
        assert!(!Session::cookie("v", false).contains("Secure"));
    }

    #[test]
    fn signing_out_everywhere_ends_what_was_begun_before() {
        let (kv, old) = (MemoryKv::default(), session());
        let other = Session { token: "gate_y".to_owned(), ..session() };
        block_on(async {
            assert!(holds(&kv, &old).await.unwrap());
            end_all(&kv, &old, at(10)).await.unwrap();
            assert!(!holds(&kv, &old).await.unwrap());
            assert!(holds(&kv, &other).await.unwrap(), "another token's");
            let again = Session { since: at(11), ..session() };
            assert!(holds(&kv, &again).await.unwrap(), "begun since");
        });
    }

    #[test]
    fn the_key_is_made_once() {
        let kv = MemoryKv::default();
        assert_eq!(block_on(key(&kv, || Ok([1; 32]))).unwrap(), [1; 32]);
        assert_eq!(block_on(key(&kv, || Err(Problem::internal("no other is asked for")))).unwrap(), [1; 32]);
    }
}
